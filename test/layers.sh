#!/bin/sh
# Fail when a file includes from a room that its own may not know, or a fenced
# header where it does not belong (layers.txt says both).
awk '
function allowed(file, list,    i, n, p) {
	n = split(list, p, " ")
	for (i = 1; i <= n; i++) {
		gsub(/[.]/, "[.]", p[i]); gsub(/[*]/, ".*", p[i])
		if (file ~ ("^" p[i] "$")) return 1
	}
	return 0
}
FNR == NR {
	if (/^#/ || !NF) next
	name = $1; sub(/^[^ \t]+[ \t]*/, "")
	if (name ~ /^</) { gsub(/[<>]/, "", name); fence[name] = $0; next }
	sub(/:$/, "", name); room[name] = 1; may[name, name] = 1
	n = split($0, dep, /[ \t]+/)
	for (i = 1; i <= n; i++) {
		if (dep[i] == "") continue
		if (!(dep[i] in room)) { print "layers.txt: " name " looks up at " dep[i]; bad = 1 }
		may[name, dep[i]] = 1
	}
	next
}
/^[ \t]*#[ \t]*include/ {
	split(FILENAME, p, "/"); own = p[2]
	inc = $0; sub(/^[^<"]*[<"]/, "", inc); sub(/[>"].*$/, "", inc)
	split(inc, d, "/")
	if ($0 ~ /"/ && !((own, d[1]) in may)) { print FILENAME ": may not include " inc; bad = 1 }
	for (f in fence)
		if ((inc == f || d[1] == f) && !allowed(FILENAME, fence[f])) {
			print FILENAME ": " inc " is fenced"; bad = 1
		}
}
END { exit bad }
' test/layers.txt src/*/*.c include/*/*.h
