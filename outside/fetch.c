/* SPDX-License-Identifier: ISC
 *
 * outside-fetch: one request over the network, and no power but that: no key, no dataset but the one it writes
 * through the descriptor that it was given. Everything is bounded: bytes, redirects, attempts, time. A portal's faults
 * are told apart, for a person has to act on each in another way.
 */
#include <curl/curl.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fault.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "base/text.h"
#include "base/worker.h"
#include "outside/records.h"
#include "outside/url.h"

#define CONNECT_TIMEOUT 30
/* A server that sends nothing for this long is gone. */
#define SILENCE_TIMEOUT 60
/* The longest wait before another attempt, whatever Retry-After says. */
#define MAX_PAUSE 60
#define MAX_CREDENTIAL_SIZE 4096
#define MAX_CA_SIZE (4 << 20)
/* How much of a body is looked at for a web page, and how much of an error's body is read before it is cut off. */
#define PROLOGUE_SIZE 512
#define MAX_ERROR_BODY (64 << 10)

struct job {
	int sock;
	struct outside_fetch request;
	int out_fd;
	char *credential; /* or NULL */
	struct curl_blob ca;
	char shown[300];  /* the address without secrets */
	int64_t deadline; /* CLOCK_MONOTONIC */
};

/* One attempt. */
struct attempt {
	const struct job *job;
	CURL *curl;
	uint64_t size;      /* bytes written */
	uint64_t discarded; /* of an error's body */
	char prologue[PROLOGUE_SIZE + 1];
	size_t prologue_size;
	struct refusal why; /* what made the write callback stop */
	char error[CURL_ERROR_SIZE];
};

static int64_t now_monotonic(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) < 0)
		die_errno("clock_gettime");
	return ts.tv_sec;
}

/* What the server says of the body's length, before the first byte of it; no more than it may be. */
static void tell_expected(const struct attempt *attempt)
{
	struct outside_record record = outside_record_new(OUTSIDE_EXPECTED);
	curl_off_t length = -1;

	if (curl_easy_getinfo(attempt->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length) != CURLE_OK || length <= 0 ||
	    (uint64_t)length > attempt->job->request.max_bytes)
		return;
	record.expected.size = (uint64_t)length;
	outside_record_send(attempt->job->sock, &record, -1);
}

static size_t write_body(char *data, size_t unit, size_t n, void *ctx)
{
	struct attempt *attempt = ctx;
	const struct outside_fetch *request = &attempt->job->request;
	size_t size = unit * n, take;
	long status = 0;

	curl_easy_getinfo(attempt->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200) {
		attempt->discarded += size;
		return attempt->discarded > MAX_ERROR_BODY ? 0 : size;
	}
	if (attempt->size == 0)
		tell_expected(attempt);
	if (size > request->max_bytes - attempt->size) {
		refuse(&attempt->why, FAULT_FETCH_SIZE, "%s: the body is larger than %llu bytes (maxBytes)",
		       attempt->job->shown, (unsigned long long)request->max_bytes);
		return 0;
	}
	take = PROLOGUE_SIZE - attempt->prologue_size;
	take = size < take ? size : take;
	memcpy(attempt->prologue + attempt->prologue_size, data, take);
	attempt->prologue_size += take;
	if (fd_write_all(attempt->job->out_fd, data, size) < 0)
		die_errno("writing the body of %s", attempt->job->shown);
	attempt->size += size;
	return size;
}

/* The header NAME of the last answer into TEXT, or "" where there is none that a record can carry. */
static void copy_header(CURL *curl, const char *name, char *text, size_t size)
{
	struct curl_header *header;

	text[0] = '\0';
	if (curl_easy_header(curl, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
		return;
	for (const char *c = header->value; *c != '\0'; c++)
		if ((unsigned char)*c < 0x20 || (unsigned char)*c > 0x7e)
			return;
	if (!text_copy(text, size, header->value))
		text[0] = '\0';
}

static bool set_option_failed(CURLcode code)
{
	if (code != CURLE_OK)
		die("libcurl refuses an option: %s", curl_easy_strerror(code));
	return true;
}
#define SET(option, value) set_option_failed(curl_easy_setopt(curl, option, value))

/* What holds for every request: no cookies, no netrc, no environment, nothing but the web. */
static void set_bounds(CURL *curl, const struct job *job, int64_t left)
{
	const struct outside_fetch *request = &job->request;
	bool plain = request->allow_http && url_scheme(request->url) == URL_HTTP;

	SET(CURLOPT_PROTOCOLS_STR, request->allow_http ? "http,https" : "https");
	/* A redirect never leaves TLS. */
	SET(CURLOPT_REDIR_PROTOCOLS_STR, plain ? "http,https" : "https");
	SET(CURLOPT_FOLLOWLOCATION, 1L);
	SET(CURLOPT_MAXREDIRS, (long)request->max_redirects);
	SET(CURLOPT_UNRESTRICTED_AUTH, 0L);
	SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_TIMEOUT, (long)left);
	SET(CURLOPT_CONNECTTIMEOUT, (long)(left < CONNECT_TIMEOUT ? left : CONNECT_TIMEOUT));
	SET(CURLOPT_LOW_SPEED_LIMIT, 1L);
	SET(CURLOPT_LOW_SPEED_TIME, (long)SILENCE_TIMEOUT);
	SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)request->max_bytes);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_PROXY, request->proxy);
	SET(CURLOPT_NOPROXY, "");
	SET(CURLOPT_USERAGENT, "Clapet/" CLAPET_VERSION);
	if (job->ca.data != NULL)
		SET(CURLOPT_CAINFO_BLOB, &job->ca);
}

static void set_credential(CURL *curl, const struct job *job)
{
	if (job->credential == NULL)
		return;
	if (strncasecmp(job->credential, "Bearer ", 7) == 0) {
		SET(CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
		SET(CURLOPT_XOAUTH2_BEARER, job->credential + 7);
	} else {
		SET(CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		SET(CURLOPT_USERPWD, job->credential);
	}
}

static struct curl_slist *make_headers(const struct outside_fetch *request)
{
	static const char *const kinds[] = {"If-None-Match", "If-Modified-Since"};
	const char *values[] = {request->etag, request->last_modified};
	struct curl_slist *headers = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		_cleanup_free_ char *line = xasprintf("%s: %s", kinds[i], values[i]);
		struct curl_slist *longer;

		if (values[i][0] == '\0')
			continue;
		longer = curl_slist_append(headers, line);
		if (longer == NULL)
			die("out of memory");
		headers = longer;
	}
	return headers;
}

static bool is_web_page(const struct attempt *attempt)
{
	const char *type = NULL, *text = attempt->prologue;

	if (curl_easy_getinfo(attempt->curl, CURLINFO_CONTENT_TYPE, &type) == CURLE_OK && type != NULL &&
	    strncasecmp(type, "text/html", 9) == 0)
		return true;
	if (strncmp(text, "\xef\xbb\xbf", 3) == 0)
		text += 3;
	text += strspn(text, " \t\r\n");
	return strncasecmp(text, "<!doctype html", 14) == 0 || strncasecmp(text, "<html", 5) == 0;
}

/* What the answer means, once it is whole. */
static enum fault judge_answer(const struct attempt *attempt, struct outside_fetched *fetched, struct refusal *why)
{
	const struct outside_fetch *request = &attempt->job->request;
	const char *effective = "";
	char shown[OUTSIDE_URL_SIZE];
	long status = 0;

	curl_easy_getinfo(attempt->curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(attempt->curl, CURLINFO_EFFECTIVE_URL, &effective);
	/* What a server redirected to is not ours: a record carries no blanks and no control characters. */
	text_escape(effective, strlen(effective), shown, sizeof shown);
	url_redact(shown, fetched->effective_url, sizeof fetched->effective_url);
	for (char *c = fetched->effective_url; *c != '\0'; c++)
		if (*c == ' ')
			*c = '+';
	fetched->status = status >= 100 && status <= 599 ? (uint32_t)status : 0;
	fetched->size = attempt->size;
	copy_header(attempt->curl, "ETag", fetched->etag, sizeof fetched->etag);
	copy_header(attempt->curl, "Last-Modified", fetched->last_modified, sizeof fetched->last_modified);
	fetched->not_modified = status == 304 && (request->etag[0] != '\0' || request->last_modified[0] != '\0');
	if (fetched->not_modified)
		return FAULT_NONE;
	if (status != 200)
		return refuse(why, FAULT_FETCH_HTTP, "%s: the server answers %ld%s%s", attempt->job->shown, status,
			      strcmp(request->url, effective) == 0 ? "" : " at ",
			      strcmp(request->url, effective) == 0 ? "" : fetched->effective_url);
	if (request->expect_table && is_web_page(attempt))
		return refuse(why, FAULT_FETCH_WEB_PAGE, "%s: a web page (HTML) stands where data are expected",
			      attempt->job->shown);
	return FAULT_NONE;
}

static bool code_is_transient(CURLcode code)
{
	switch (code) {
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_CONNECT:
	case CURLE_OPERATION_TIMEDOUT:
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_PARTIAL_FILE:
	case CURLE_HTTP2:
	case CURLE_HTTP2_STREAM:
	case CURLE_SSL_CONNECT_ERROR:
		return true;
	default:
		return false;
	}
}

static enum fault judge_failure(struct attempt *attempt, CURLcode code, struct refusal *why)
{
	const char *reason = attempt->error[0] != '\0' ? attempt->error : curl_easy_strerror(code);
	const struct job *job = attempt->job;

	if (attempt->why.fault != FAULT_NONE) {
		*why = attempt->why;
		return why->fault;
	}
	switch (code) {
	case CURLE_FILESIZE_EXCEEDED:
		return refuse(why, FAULT_FETCH_SIZE, "%s: the server announces more than %llu bytes (maxBytes)",
			      job->shown, (unsigned long long)job->request.max_bytes);
	case CURLE_TOO_MANY_REDIRECTS:
		return refuse(why, FAULT_FETCH_HTTP, "%s: more than %u redirects (maxRedirects)", job->shown,
			      job->request.max_redirects);
	case CURLE_UNSUPPORTED_PROTOCOL:
		return refuse(why, FAULT_FETCH_SCHEME, "%s: leads to an address that is not %s", job->shown,
			      job->request.allow_http ? "http or https" : "https");
	default:
		return refuse(why, FAULT_FETCH_NETWORK, "%s: %s", job->shown, reason);
	}
}

/* One request. Sets *RET_PAUSE to the seconds that the server asks us to wait, and *RET_AGAIN where another attempt may do better. */
static enum fault fetch_once(const struct job *job, CURL *curl, int64_t left, struct outside_fetched *fetched,
			     bool *ret_again, int64_t *ret_pause, struct refusal *why)
{
	struct attempt attempt = {.job = job, .curl = curl};
	struct curl_slist *headers = make_headers(&job->request);
	curl_off_t retry_after = 0;
	enum fault fault;
	CURLcode code;

	curl_easy_reset(curl);
	set_bounds(curl, job, left);
	set_credential(curl, job);
	SET(CURLOPT_URL, job->request.url);
	SET(CURLOPT_HTTPHEADER, headers);
	SET(CURLOPT_ERRORBUFFER, attempt.error);
	SET(CURLOPT_WRITEFUNCTION, write_body);
	SET(CURLOPT_WRITEDATA, &attempt);
	if (lseek(job->out_fd, 0, SEEK_SET) < 0 || ftruncate(job->out_fd, 0) < 0)
		die_errno("the body's file");
	code = curl_easy_perform(curl);
	/* An error's body was cut off by us: the status is what counts. */
	if (code == CURLE_WRITE_ERROR && attempt.discarded > MAX_ERROR_BODY)
		code = CURLE_OK;
	if (code == CURLE_OK) {
		fault = judge_answer(&attempt, fetched, why);
		*ret_again = fault == FAULT_FETCH_HTTP &&
			     (fetched->status >= 500 || fetched->status == 429 || fetched->status == 408);
	} else {
		fault = judge_failure(&attempt, code, why);
		*ret_again = code_is_transient(code);
	}
	curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &retry_after);
	*ret_pause = retry_after > 0 ? (int64_t)retry_after : 0;
	curl_slist_free_all(headers);
	return fault;
}

static enum fault fetch(const struct job *job, struct outside_fetched *fetched, struct refusal *why)
{
	CURL *curl = curl_easy_init();
	int64_t pause = 0, back_off = 1;
	enum fault fault = FAULT_NONE;
	bool again = false;

	if (curl == NULL)
		die("libcurl has no handle for us");
	for (uint32_t i = 0; i <= job->request.retries; i++) {
		int64_t left = job->deadline - now_monotonic();

		memset(fetched, 0, sizeof *fetched);
		fault = fetch_once(job, curl, left > 0 ? left : 1, fetched, &again, &pause, why);
		if (fault == FAULT_NONE || !again || i == job->request.retries)
			break;
		pause = pause > back_off ? pause : back_off;
		pause = pause < MAX_PAUSE ? pause : MAX_PAUSE;
		if (now_monotonic() + pause >= job->deadline)
			break;
		poll(NULL, 0, (int)pause * 1000);
		back_off *= 2;
	}
	curl_easy_cleanup(curl);
	return fault;
}

static void receive_credential(struct job *job, int fd)
{
	uint8_t *data;
	size_t size;
	int r = fd_load(fd, MAX_CREDENTIAL_SIZE, &data, &size);

	if (r < 0)
		die("the credential: %s", strerror(-r));
	job->credential = (char *)data;
	job->credential[strcspn(job->credential, "\r\n")] = '\0';
}

static void receive_ca(struct job *job, int fd)
{
	uint8_t *data;
	size_t size;
	int r = fd_load(fd, MAX_CA_SIZE, &data, &size);

	if (r < 0)
		die("the file of authorities: %s", strerror(-r));
	job->ca = (struct curl_blob){.data = data, .len = size, .flags = CURL_BLOB_NOCOPY};
}

static void receive_job(int sock, struct job *job)
{
	for (;;) {
		struct outside_record record;
		_cleanup_close_ int fd = -1;

		outside_record_receive(sock, &record, &fd);
		switch (record.kind) {
		case OUTSIDE_FETCH:
			job->request = record.fetch;
			job->out_fd = steal_fd(&fd);
			break;
		case OUTSIDE_CREDENTIAL:
			receive_credential(job, fd);
			break;
		case OUTSIDE_CA:
			receive_ca(job, fd);
			break;
		case OUTSIDE_GO:
			if (job->out_fd < 0)
				die("no request");
			return;
		default:
			die("an unexpected record (kind %u)", record.kind);
		}
	}
}

int main(int argc, char **argv)
{
	int sock = worker_enter(argc, argv, "outside-fetch");
	struct job job = {.sock = sock, .out_fd = -1};
	struct outside_record answer = outside_record_new(OUTSIDE_FETCHED), end;
	struct refusal why = {FAULT_NONE, ""};
	enum url_scheme scheme;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		die("libcurl does not start");
	sandbox_enter(SANDBOX_OUTSIDE_FETCH, NULL, 0);
	receive_job(sock, &job);
	url_redact(job.request.url, job.shown, sizeof job.shown);
	job.deadline = now_monotonic() + job.request.timeout;
	scheme = url_scheme(job.request.url);
	if (scheme != URL_HTTPS && !(scheme == URL_HTTP && job.request.allow_http))
		refuse(&why, FAULT_FETCH_SCHEME, "%s: only https is allowed%s", job.shown,
		       scheme == URL_HTTP ? " (allowHttp would allow http)" : "");
	else if (fetch(&job, &answer.fetched, &why) == FAULT_NONE)
		outside_record_send(sock, &answer, -1);
	end = outside_record_end(&why);
	outside_record_send(sock, &end, -1);
	return 0;
}
