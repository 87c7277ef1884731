/* SPDX-License-Identifier: GPL-2.0-only */
#include "app/yaml.h"

#include "unit/check_all.h"

/* A tree as one line: {key@1:1=value@1:6 ...}, [value@1:2 ...]. */
static void show(const struct yaml_node *node, struct buf *out)
{
	const struct yaml_node *n;

	switch (node->kind) {
	case YAML_NULL:
		buf_add_str(out, "null");
		break;
	case YAML_BROKEN:
		buf_add_str(out, "broken");
		break;
	case YAML_SCALAR:
		buf_addf(out, "%.*s@%u:%u", SLICE_ARGS(node->text), node->line,
			 node->column);
		break;
	case YAML_MAP:
	case YAML_LIST:
		buf_add_char(out, node->kind == YAML_MAP ? '{' : '[');
		for (n = node->first; n; n = n->next) {
			if (n != node->first)
				buf_add_char(out, ' ');
			if (n->key_broken)
				buf_add_str(out, "?=");
			else if (node->kind == YAML_MAP)
				buf_addf(out, "%.*s@%u:%u=", SLICE_ARGS(n->key),
					 n->key_line, n->key_column);
			show(n, out);
		}
		buf_add_char(out, node->kind == YAML_MAP ? '}' : ']');
		break;
	}
}

static void parse(struct slice text, struct buf *tree, struct buf *errors)
{
	struct mistakes mistakes = {0};
	struct yaml_node *root = yaml_tree_parse(text, &mistakes);

	show(root, tree);
	mistakes_write(&mistakes, "f", errors);
	mistakes_release(&mistakes);
	yaml_tree_free(&root);
	ck_assert_ptr_null(root);
}

static const struct {
	const char *text, *tree;
} trees[] = {
	{"", "null"},
	{"# nothing\n", "null"},
	{"---\n", "null"},
	{"word", "word@1:1"},
	{"a: 1\nb:\n  c: x y\n", "{a@1:1=1@1:4 b@2:1={c@3:3=x y@3:6}}"},
	{"\xef\xbb\xbf"
	 "a: 1\n",
	 "{a@1:1=1@1:4}"},
	{"a: [1, 'two', \"three\"]", "{a@1:1=[1@1:5 two@1:8 three@1:15]}"},
	{"a:\n- b: 1\n- c", "{a@1:1=[{b@2:3=1@2:6} c@3:3]}"},
	{"a:\nb: ~\nc: null\nd: NULL\ne: ''\nf: 'null'\n",
	 "{a@1:1=null b@2:1=null c@3:1=null d@4:1=null e@5:1=@5:4 "
	 "f@6:1=null@6:4}"},
	{"\"*.x\": {}\n", "{*.x@1:1={}}"},
	{"\xc3\xa9\xe2\x82\xac: x\n", "{\xc3\xa9\xe2\x82\xac@1:1=x@1:5}"},
	{"a: off\r\nb: on\r\n", "{a@1:1=off@1:4 b@2:1=on@2:4}"},
	{"a: |\n  one\n  two\n", "{a@1:1=one\ntwo\n@1:4}"},
	{"%YAML 1.1\n---\na: 1\n...\n", "{a@3:1=1@3:4}"},
};

START_TEST(tree_knows_the_place_of_each_key_and_value)
{
	struct buf tree, errors;

	buf_init(&tree, 10000);
	buf_init(&errors, 10000);
	parse(slice_str(trees[_i].text), &tree, &errors);
	ck_slice(buf_slice(&errors), "");
	ck_slice(buf_slice(&tree), trees[_i].tree);
	buf_release(&tree);
	buf_release(&errors);
}
END_TEST

#define KEY_HINT                                                               \
	"a key must be a word; put quotes around it if it begins with *, &, "  \
	"!, { or [\n"
#define PROPERTY_HINT                                                          \
	"anchors (&) and tags (!) are not used here; put quotes around a "     \
	"word that begins so\n"
#define LOOK "; look at indentation, colons and quotes here and just above\n"

static const struct {
	const char *text, *tree, *errors;
} faults[] = {
	{"a: 1\nb: 2\na: 3\n", "{a@1:1=1@1:4 b@2:1=2@2:4 a@3:1=3@3:4}",
	 "f:3:1: key \"a\" stands on line 1 already; keep one\n"},
	{"a: {b: 1,\n b: 2,\n b: 3}\n",
	 "{a@1:1={b@1:5=1@1:8 b@2:2=2@2:5 b@3:2=3@3:5}}",
	 "f:2:2: key \"b\" stands on line 1 already; keep one\n"
	 "f:3:2: key \"b\" stands on line 1 already; keep one\n"},
	{"a: &x 1\nb: *x\n", "{a@1:1=1@1:4 b@2:1=broken}",
	 "f:1:4: " PROPERTY_HINT
	 "f:2:4: aliases (*) are not used here; put quotes around a name or "
	 "pattern that begins with *\n"},
	{"a: !!int 1\n", "{a@1:1=1@1:4}", "f:1:4: " PROPERTY_HINT},
	{"a: !x {b: 1}\n", "{a@1:1={b@1:8=1@1:11}}",
	 "f:1:4: anchors (&) and tags (!) are not used here; remove it\n"},
	{"a: &x [b]\n", "{a@1:1=[b@1:8]}",
	 "f:1:4: anchors (&) and tags (!) are not used here; remove it\n"},
	{"{{ key }}: 1\nb: 2\n",
	 "{?={?={key@1:4=null} ?=null} ?=1@1:12 b@2:1=2@2:4}",
	 "f:1:1: " KEY_HINT "f:1:2: " KEY_HINT},
	{"? [a, b]\n: c\nd: e\n", "{?=[a@1:4 b@1:7] ?=c@2:3 d@3:1=e@3:4}",
	 "f:1:3: " KEY_HINT},
	{"a: &k 1\n*k : 2\nb: 3\n",
	 "{a@1:1=1@1:4 ?=broken ?=2@2:6 b@3:1=3@3:4}",
	 "f:1:4: " PROPERTY_HINT "f:2:1: " KEY_HINT},
	{"a: 1\n---\nb: 2\n", "{a@1:1=1@1:4}",
	 "f:2:1: a second document; a configuration is one: remove the line "
	 "---\n"},
	{"a:\n\tb: 1\n", "{a@1:1=broken}",
	 "f:2:1: a tab where YAML wants blanks; indent with blanks\n"},
	{"a:\n  b: 1\n\tc: 2\n", "{a@1:1={b@2:3=broken}}",
	 "f:3:1: a tab where YAML wants blanks; indent with blanks\n"},
	{"m:\n  *.com: 1\n", "{m@1:1=broken}",
	 "f:2:4: a name that begins with * must stand in quotes: "
	 "\"*.example.com\"\n"},
	{"a: 1\n b: 2\n", "{a@1:1=1 b@1:4}",
	 "f:2:3: not YAML: mapping values are not allowed in this "
	 "context" LOOK},
	{"a: \"x\n", "{a@1:1=broken}",
	 "f:2:1: not YAML: found unexpected end of stream while scanning a "
	 "quoted scalar" LOOK},
	{"a: [1\nb: 2\n", "{a@1:1=[1 b@1:5]}",
	 "f:2:2: not YAML: did not find expected ',' or ']' while parsing a "
	 "flow sequence" LOOK},
	{"a: \xff\n", "null",
	 "f:1:4: not YAML: invalid leading UTF-8 octet; save the file as UTF-8 "
	 "text\n"},
	{"a: 1\nb: \xc3\xa9\x01\n", "null",
	 "f:2:5: not YAML: control characters are not allowed; save the file "
	 "as UTF-8 text\n"},
};

START_TEST(fault_is_reported_where_it_stands)
{
	struct buf tree, errors;

	buf_init(&tree, 10000);
	buf_init(&errors, 10000);
	parse(slice_str(faults[_i].text), &tree, &errors);
	ck_slice(buf_slice(&errors), faults[_i].errors);
	ck_slice(buf_slice(&tree), faults[_i].tree);
	buf_release(&tree);
	buf_release(&errors);
}
END_TEST

START_TEST(nesting_has_a_limit)
{
	for (size_t depth = YAML_NESTING; depth <= 100000; depth *= 80) {
		struct buf text, tree, errors;

		buf_init(&text, 1 << 20);
		buf_init(&tree, 10000);
		buf_init(&errors, 10000);
		for (size_t i = 0; i < depth; i++)
			buf_add_char(&text, '[');
		if (depth == YAML_NESTING) {
			for (size_t i = 0; i < depth; i++)
				buf_add_char(&text, ']');
		}
		parse(buf_slice(&text), &tree, &errors);
		ck_slice(buf_slice(&errors),
			 depth == YAML_NESTING
				 ? ""
				 : "f:1:17: nested too deeply; no key needs "
				   "that\n");
		buf_release(&text);
		buf_release(&tree);
		buf_release(&errors);
	}
}
END_TEST

START_TEST(number_of_nodes_has_a_limit)
{
	struct buf text, tree, errors;

	buf_init(&text, 1 << 20);
	buf_init(&tree, 8 << 20);
	buf_init(&errors, 10000);
	buf_add_char(&text, '[');
	for (size_t i = 0; i < YAML_NODES; i++)
		buf_add_str(&text, "1,\n");
	parse(buf_slice(&text), &tree, &errors);
	ck_slice(buf_slice(&errors),
		 "f:199998:1: too many keys and values; use patterns\n");
	buf_release(&text);
	buf_release(&tree);
	buf_release(&errors);
}
END_TEST

START_TEST(names_that_differ_in_case_alone_are_found)
{
	struct mistakes mistakes = {0};
	struct yaml_node *root = yaml_tree_parse(
		SLICE("Mta1: 1\nmta2: 2\nMTA1: 3\nmta1: 4\nMta1: 5\n"),
		&mistakes);
	struct buf errors;

	buf_init(&errors, 10000);
	yaml_tree_repeated(root, true, &mistakes);
	mistakes_write(&mistakes, "f", &errors);
	ck_slice(buf_slice(&errors),
		 "f:3:1: \"MTA1\" is the same name as the one on line 1 but "
		 "for letter case; keep one\n"
		 "f:4:1: \"mta1\" is the same name as the one on line 1 but "
		 "for letter case; keep one\n"
		 "f:5:1: key \"Mta1\" stands on line 1 already; keep one\n");
	mistakes_release(&mistakes);
	yaml_tree_free(&root);
	buf_release(&errors);
}
END_TEST

START_TEST(mistakes_are_clean_sorted_and_capped)
{
	struct mistakes mistakes = {0};
	struct buf out;

	buf_init(&out, 1 << 20);
	mistakes_add(&mistakes, 2, 1, "b\n\x1b[2J\xc2\x9b \xff \xc3\xa9");
	mistakes_add(&mistakes, 1, 9, "second");
	mistakes_add(&mistakes, 1, 2, "first");
	mistakes_add(&mistakes, 1, 9, "third");
	mistakes_write(&mistakes, "f", &out);
	ck_slice(buf_slice(&out), "f:1:2: first\nf:1:9: second\nf:1:9: third\n"
				  "f:2:1: b??[2J?? ? \xc3\xa9\n");
	buf_reset(&out);
	for (size_t i = 0; i < MISTAKES_MAX; i++)
		mistakes_add(&mistakes, 3, 1, "more");
	ck_assert_uint_eq(mistakes.count, MISTAKES_MAX);
	mistakes_write(&mistakes, "f", &out);
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "\nf: and 4 more\n"));
	mistakes_release(&mistakes);
	buf_release(&out);
}
END_TEST

Suite *yaml_suite(void)
{
	Suite *s = suite_create("yaml");
	TCase *tc = tcase_create("yaml");

	tcase_add_loop_test(tc, tree_knows_the_place_of_each_key_and_value, 0,
			    NROF(trees));
	tcase_add_loop_test(tc, fault_is_reported_where_it_stands, 0,
			    NROF(faults));
	tcase_add_test(tc, nesting_has_a_limit);
	tcase_add_test(tc, number_of_nodes_has_a_limit);
	tcase_add_test(tc, names_that_differ_in_case_alone_are_found);
	tcase_add_test(tc, mistakes_are_clean_sorted_and_capped);
	suite_add_tcase(s, tc);
	return s;
}
