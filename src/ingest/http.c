/* SPDX-License-Identifier: GPL-2.0-only */
#include "ingest/http.h"

#include <assert.h>
#include <curl/curl.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "ingest/reply.h"

/*
 * Each slot is one curl handle that is used again for POST after POST; the
 * connections belong to the multi handle and outlive them.  A slot is busy
 * from http_post() until its reply is reaped.  At that moment the reply and the
 * error text change places with those of the object, so that the slot is free
 * at once while the caller still reads the reply.
 *
 * A service that refuses a body half-way answers and closes, and what curl
 * sees is a broken connection.  A reply that had come whole by then counts.
 */

struct http_slot {
	CURL *easy;
	bool busy;
	uint64_t token;
	int fd;
	off_t offset, size, at;
	struct reply reply;
	char error[CURL_ERROR_SIZE];
};

struct http {
	CURLM *multi;
	struct curl_slist *headers;
	char *api_key;
	unsigned int connections, busy;
	struct reply reply; /* the one that was reaped last */
	char error[CURL_ERROR_SIZE];
	struct http_slot slots[HTTP_CONNECTIONS_MAX];
};

/* --- What curl calls --- */

static size_t http_on_read(char *p, size_t size, size_t count, void *ctx)
{
	struct http_slot *slot = ctx;
	off_t left = slot->size - slot->at;
	size_t n = size * count;
	ssize_t got;

	if (!left)
		return 0;
	if ((off_t)n > left)
		n = (size_t)left;
	got = fs_pread(slot->fd, p, n, slot->offset + slot->at);
	if (got <= 0)
		return CURL_READFUNC_ABORT; /* shorter than it was */
	slot->at += got;
	return (size_t)got;
}

/* A kept connection turned out to be dead: curl sends the body again. */
static int http_on_seek(void *ctx, curl_off_t offset, int origin)
{
	struct http_slot *slot = ctx;

	if (origin != SEEK_SET || offset < 0 || offset > slot->size)
		return CURL_SEEKFUNC_FAIL;
	slot->at = offset;
	return CURL_SEEKFUNC_OK;
}

static size_t http_on_write(char *p, size_t size, size_t count, void *ctx)
{
	struct http_slot *slot = ctx;

	reply_body(&slot->reply, p, size * count);
	return size * count;
}

static size_t http_on_header(char *p, size_t size, size_t count, void *ctx)
{
	struct http_slot *slot = ctx;

	reply_header(&slot->reply, slice_of(p, size * count));
	return size * count;
}

/* --- Settings --- */

/* What the operator chose; "" stands for "none, whatever the environment". */
static int http_set_words(CURL *easy, const struct http_settings *s,
			  struct buf *why)
{
	const struct {
		CURLoption option;
		const char *value, *name;
	} words[] = {
		{CURLOPT_URL, s->url, "url"},
		{CURLOPT_PROXY, s->proxy ? s->proxy : "", "proxy"},
		{CURLOPT_NOPROXY, "", "proxy"},
		{CURLOPT_CAINFO, s->ca_file, "ca_file"},
		{CURLOPT_INTERFACE, s->interface, "interface"},
		{CURLOPT_USERAGENT, "sparktail/" VERSION, "user agent"},
#if LIBCURL_VERSION_NUM >= 0x075500
		{CURLOPT_PROTOCOLS_STR, "http,https", "protocols"},
#endif
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		CURLcode code;

		if (!words[i].value)
			continue;
		code = curl_easy_setopt(easy, words[i].option, words[i].value);
		if (code) {
			buf_addf(why, "%s: %s", words[i].name,
				 curl_easy_strerror(code));
			return -1;
		}
	}
	return 0;
}

static int http_set_numbers(CURL *easy, const struct http_settings *s,
			    struct buf *why)
{
	const struct {
		CURLoption option;
		long value;
	} numbers[] = {
		{CURLOPT_POST, 1},
		{CURLOPT_NOSIGNAL, 1},
		{CURLOPT_FOLLOWLOCATION, 0},
		{CURLOPT_SSL_VERIFYPEER, 1},
		{CURLOPT_SSL_VERIFYHOST, 2},
		{CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2},
		{CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS},
		{CURLOPT_HEADEROPT, CURLHEADER_SEPARATE},
		{CURLOPT_SUPPRESS_CONNECT_HEADERS, 1},
		{CURLOPT_TCP_KEEPALIVE, 1},
		{CURLOPT_UPLOAD_BUFFERSIZE, HTTP_BUFFER},
		{CURLOPT_TIMEOUT_MS, (long)s->timeout_ms},
		{CURLOPT_CONNECTTIMEOUT_MS, (long)s->connect_timeout_ms},
#if LIBCURL_VERSION_NUM < 0x075500
		{CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS},
#endif
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (curl_easy_setopt(easy, numbers[i].option,
				     numbers[i].value)) {
			buf_add_str(why, "libcurl lacks an option");
			return -1;
		}
	}
	return 0;
}

static void http_set_callbacks(struct http *http, struct http_slot *slot)
{
	CURL *easy = slot->easy;

	curl_easy_setopt(easy, CURLOPT_PRIVATE, slot);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, slot->error);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, http->headers);
	curl_easy_setopt(easy, CURLOPT_READFUNCTION, http_on_read);
	curl_easy_setopt(easy, CURLOPT_READDATA, slot);
	curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, http_on_seek);
	curl_easy_setopt(easy, CURLOPT_SEEKDATA, slot);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, http_on_write);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, slot);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, http_on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, slot);
}

static int http_set_headers(struct http *http, struct buf *why)
{
	static const char *const fixed[] = {
		"Content-Type: application/x-ndjson", "Content-Encoding: gzip",
		"Accept: application/json",
		"Expect:", /* no wait for "100 Continue" */
	};
	struct buf key;

	for (const char *p = http->api_key; *p; p++) {
		if (*p <= ' ' || *p >= 0x7f) {
			buf_add_str(why, "the API key is no plain text");
			return -1;
		}
	}
	buf_init(&key, 4096);
	buf_addf(&key, "Authorization: %s", http->api_key);
	if (key.overflow)
		buf_add_str(why, "the API key is too long");
	else
		http->headers = curl_slist_append(NULL, buf_str(&key));
	if (key.p)
		explicit_bzero(key.p, key.cap);
	buf_release(&key);
	for (size_t i = 0; http->headers && i < sizeof(fixed) / sizeof(*fixed);
	     i++)
		curl_slist_append(http->headers, fixed[i]);
	return http->headers ? 0 : -1;
}

/* curl looks at these only when it connects; a mistake should show now. */
static int http_check(const struct http_settings *s, struct buf *why)
{
	CURLU *url = curl_url();
	CURLUcode code = curl_url_set(url, CURLUPART_URL, s->url, 0);

	if (code)
		buf_add_str(why, "url: not a URL that curl can use");
	else if (s->proxy && (code = curl_url_set(url, CURLUPART_URL, s->proxy,
						  CURLU_GUESS_SCHEME)))
		buf_add_str(why, "proxy: not a URL that curl can use");
	curl_url_cleanup(url);
	if (code)
		return -1;
	if (s->ca_file && access(s->ca_file, R_OK) < 0) {
		buf_addf(why, "ca_file: %s: %s", s->ca_file, strerror(errno));
		return -1;
	}
	return 0;
}

static int http_init(struct http *http, const struct http_settings *settings,
		     struct buf *why)
{
	if (http_check(settings, why) < 0 || http_set_headers(http, why) < 0)
		return -1;
	http->multi = curl_multi_init();
	curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS,
			  (long)http->connections);
	for (unsigned int i = 0; i < http->connections; i++) {
		struct http_slot *slot = &http->slots[i];

		slot->easy = curl_easy_init();
		assert(http->multi && slot->easy);
		if (http_set_words(slot->easy, settings, why) < 0 ||
		    http_set_numbers(slot->easy, settings, why) < 0)
			return -1;
		http_set_callbacks(http, slot);
	}
	return 0;
}

struct http *http_new(const struct http_settings *settings, struct buf *why)
{
	struct http *http = mem_zero(1, sizeof(*http));

	assert(settings->connections >= 1 &&
	       settings->connections <= HTTP_CONNECTIONS_MAX);
	curl_global_init(CURL_GLOBAL_DEFAULT);
	http->connections = settings->connections;
	http->api_key = mem_str(settings->api_key);
	reply_init(&http->reply, HTTP_REPLY);
	for (unsigned int i = 0; i < http->connections; i++) {
		http->slots[i].fd = -1;
		reply_init(&http->slots[i].reply, HTTP_REPLY);
	}
	if (http_init(http, settings, why) < 0)
		http_free(&http);
	return http;
}

void http_free(struct http **http)
{
	struct http *h = *http;

	if (!h)
		return;
	for (unsigned int i = 0; i < h->connections; i++) {
		if (h->slots[i].busy)
			curl_multi_remove_handle(h->multi, h->slots[i].easy);
		curl_easy_cleanup(h->slots[i].easy);
		fs_close(&h->slots[i].fd);
		reply_release(&h->slots[i].reply);
	}
	curl_multi_cleanup(h->multi);
	if (h->headers)
		explicit_bzero(h->headers->data, strlen(h->headers->data));
	curl_slist_free_all(h->headers);
	explicit_bzero(h->api_key, strlen(h->api_key));
	mem_free(h->api_key);
	reply_release(&h->reply);
	mem_free(h);
	*http = NULL;
	curl_global_cleanup();
}

/* --- Transfers --- */

int http_post(struct http *http, uint64_t token, int fd, off_t offset,
	      off_t size)
{
	struct http_slot *slot = http->slots;

	if (http->busy == http->connections) {
		fs_close(&fd);
		return -1;
	}
	while (slot->busy)
		slot++;
	reply_reset(&slot->reply);
	slot->error[0] = '\0';
	slot->token = token;
	slot->fd = fd;
	slot->offset = offset;
	slot->size = size;
	slot->at = 0;
	if (curl_easy_setopt(slot->easy, CURLOPT_POSTFIELDSIZE_LARGE,
			     (curl_off_t)size) ||
	    curl_multi_add_handle(http->multi, slot->easy)) {
		fs_close(&slot->fd);
		return -1;
	}
	slot->busy = true;
	http->busy++;
	return 0;
}

unsigned int http_busy(const struct http *http)
{
	return http->busy;
}

void http_wait(struct http *http, int64_t timeout_ms)
{
	int running = 0;

	curl_multi_perform(http->multi, &running);
	if ((unsigned int)running < http->busy)
		return; /* something has finished */
	timeout_ms = timeout_ms > INT_MAX ? INT_MAX : timeout_ms;
	timeout_ms = timeout_ms < 0 ? 0 : timeout_ms;
	curl_multi_poll(http->multi, NULL, 0, (int)timeout_ms, NULL);
	curl_multi_perform(http->multi, &running);
}

void http_wake(struct http *http)
{
	curl_multi_wakeup(http->multi);
}

static void http_take_reply(struct http *http, CURLcode code, int64_t now_s,
			    struct http_reply *reply_out)
{
	struct reply *reply = &http->reply;

	/* A header cut short is no error to curl. */
	if (code == CURLE_OK && !reply->begun)
		code = CURLE_PARTIAL_FILE;
	if (code == CURLE_OK || reply_complete(reply)) {
		reply_hide(reply, http->api_key);
		reply_out->status = reply->status;
		reply_out->retry_after_s = reply_retry_after(reply, now_s);
		reply_out->body = buf_slice(&reply->body);
		return;
	}
	reply_out->tls = code == CURLE_PEER_FAILED_VERIFICATION ||
			 code == CURLE_SSL_ISSUER_ERROR ||
			 code == CURLE_SSL_CACERT_BADFILE;
	reply_out->error = reply_error(http->error, curl_easy_strerror(code),
				       reply_out->tls);
}

bool http_reap(struct http *http, struct http_reply *reply_out, int64_t now_s)
{
	struct reply last = http->reply;
	struct http_slot *slot = NULL;
	CURLMsg *message;
	CURLcode code;
	int left;

	do {
		message = curl_multi_info_read(http->multi, &left);
	} while (message && message->msg != CURLMSG_DONE);
	if (!message)
		return false;
	code = message->data.result;
	curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &slot);
	curl_multi_remove_handle(http->multi, slot->easy);
	fs_close(&slot->fd);
	slot->busy = false;
	http->busy--;
	http->reply = slot->reply;
	slot->reply = last;
	memcpy(http->error, slot->error, sizeof(http->error));
	memset(reply_out, 0, sizeof(*reply_out));
	reply_out->token = slot->token;
	reply_out->retry_after_s = -1;
	http_take_reply(http, code, now_s, reply_out);
	return true;
}
