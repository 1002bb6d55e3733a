# SPDX-License-Identifier: ISC
"""serve_openapi.py URL ROUTES.c: asks each path and method of URL/openapi.json, and holds the answer against what it says: status, media type,
headers. And each route of the table must be in it. Prints what does not hold; exit status 1 then."""
import http.client, json, re, sys, urllib.parse

url, table = sys.argv[1:3]
host = urllib.parse.urlsplit(url).netloc
# What stands for a parameter of a path, and what a path cannot do without.
VALUES = {"name": "villes", "file": "villes.csv", "resource": "villes", "number": "1"}
# A table's rows want a database, a stream does not end, some pages are for operators: a problem is an answer there, too.
MAY_FAIL = re.compile(r"\{resource\}|/diff$|rows\.sqlite|/events|/static/|\{any\}|^/(held|link|log)$")
bad = 0


def complain(*words):
    global bad
    bad += 1
    print(*words)


def ask(method, path, headers={}):
    connection = http.client.HTTPConnection(host, timeout=10)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    if method == "HEAD" and answer.read():
        complain(method, path, "has a body")
    connection.close()
    return answer


def resolve(document, node):
    while "$ref" in node:
        target = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def check(document, method, pattern, operation, accept):
    path = re.sub(r"\{(\w+)\}", lambda m: VALUES.get(m[1], m[1]), pattern)
    answer = ask(method, path, {"Accept": accept} if accept else {})
    if answer.status != 200 and not MAY_FAIL.search(pattern):
        return complain(method, path, accept, "answers", answer.status)
    described = operation["responses"].get(str(answer.status), operation["responses"]["default"])
    described = resolve(document, described)
    media = (answer.headers["Content-Type"] or "").split(";")[0]
    content = described.get("content", {})
    if media not in content and "*/*" not in content:
        complain(method, path, accept, "is", media, "which is not said:", list(content))
    if accept and answer.status == 200 and media != accept:
        complain(method, path, "was asked for", accept, "and is", media)
    for name in described.get("headers", {}):
        if name not in answer.headers:
            complain(method, path, "lacks the header", name)
    if answer.status == 200 and "ETag" in answer.headers:
        again = ask(method, path, {"If-None-Match": answer.headers["ETag"], **({"Accept": accept} if accept else {})})
        if again.status != 304 or "304" not in operation["responses"]:
            complain(method, path, "with its ETag answers", again.status)


connection = http.client.HTTPConnection(host, timeout=10)
connection.request("GET", "/openapi.json")
document = json.loads(connection.getresponse().read())
if not document["openapi"].startswith("3.1."):
    complain("it is OpenAPI", document["openapi"])
for pattern, item in document["paths"].items():
    named = set(re.findall(r"\{(\w+)\}", pattern))
    described = {p["name"] for p in item.get("parameters", []) if p["in"] == "path"}
    if named != described:
        complain(pattern, "describes the parameters", described)
    for p in item.get("parameters", []):
        if not p.get("description") or not p.get("schema"):
            complain(pattern, "does not describe", p["name"])
    for method in ("get", "head"):
        operation = item[method]
        types = [t for t in operation["responses"]["200"]["content"] if t != "*/*"]
        check(document, method.upper(), pattern, operation, None)
        if len(types) > 1:
            for accept in types:
                check(document, method.upper(), pattern, operation, accept)
routes = re.findall(r'^\t\{"(/[^"]*)"', open(table).read(), re.M)
for route in routes:
    if route not in document["paths"]:
        complain("the route", route, "is not in it")
if not routes or len(document["paths"]) != len(set(routes)):
    complain(len(document["paths"]), "paths,", len(set(routes)), "routes")
sys.exit(1 if bad else 0)
