#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""A world whose targets travel as patches, signed by this test's own means: TUF metadata and the closed ustar form, as FORMAT.md 3 and 5.4 tell them.

patchbundle.py sign REPOSITORY KEYS DATASET FILE PATCH BASE BASE-BLOB   the newest DATASET/FILE travels as the patch in the file PATCH, against the plain
                                                                        file BASE, whose one blob is the file BASE-BLOB; all in place
patchbundle.py blobs REPOSITORY DATASET                                 the blobs of the newest DATASET: of each file in a line its path, its blob's
patchbundle.py bundle OUTPUT REPOSITORY [BLOB-FILE…]                    all current metadata and these blobs
"""
import glob, hashlib, json, os, re, subprocess, sys, tempfile


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def load(path):
    with open(path, "rb") as file:
        return file.read()


def digest(data):
    return hashlib.sha256(data).hexdigest()


def part(path):
    data = load(path)
    return {"sha256": digest(data), "length": len(data)}


def sign(path, document, key):
    """With openssl, from the seed in a key file of ours."""
    seed = bytes.fromhex(json.loads(load(key))["secret"])
    document["signatures"] = document["signatures"][:1]
    with tempfile.TemporaryDirectory() as folder:
        for name, data in ("key", bytes.fromhex("302e020100300506032b657004220420") + seed), ("in", canonical(document["signed"])):
            with open(f"{folder}/{name}", "wb") as file:
                file.write(data)
        made = subprocess.run(["openssl", "pkeyutl", "-sign", "-rawin", "-keyform", "DER", "-inkey", f"{folder}/key", "-in", f"{folder}/in"],
                              check=True, capture_output=True)
    document["signatures"][0]["sig"] = made.stdout.hex()
    os.chmod(path, 0o640)
    with open(path, "wb") as file:
        file.write(canonical(document))


def newest(repository, role):
    found = [re.fullmatch(r"(\d+)\." + role + r"\.json", name) for name in os.listdir(f"{repository}/metadata")]
    return max(int(match.group(1)) for match in found if match)


def sign_patch(repository, keys, dataset, file, patch, base, base_blob):
    metadata = f"{repository}/metadata"
    number = newest(repository, dataset)
    path = f"{metadata}/{number}.{dataset}.json"
    role = json.loads(load(path))
    plain = part(base)
    role["signed"]["targets"][f"{dataset}/{file}"]["custom"] = {
        "format": "clapet target 2",
        "encodings": [{"type": "patch", "base": {**plain, "parts": [part(base_blob)]}, "parts": [part(patch)]}]}
    sign(path, role, f"{keys}/datasets/{dataset}.key")
    snapshot_path = f"{metadata}/{newest(repository, 'snapshot')}.snapshot.json"
    for above, name, below, key in ((snapshot_path, f"{dataset}.json", path, "snapshot"), (f"{metadata}/timestamp.json", "snapshot.json", snapshot_path, "timestamp")):
        document = json.loads(load(above))
        meta = document["signed"]["meta"][name]
        meta["length"], meta["hashes"] = len(load(below)), {"sha256": digest(load(below))}
        sign(above, document, f"{keys}/{key}.key")


def print_blobs(repository, dataset):
    role = json.loads(load(f"{repository}/metadata/{newest(repository, dataset)}.{dataset}.json"))
    for path, target in role["signed"]["targets"].items():
        print(path, f"{repository}/blobs/{target['custom']['encodings'][0]['parts'][0]['sha256']}")


def member(name, data):
    header = bytearray(512)

    def put(offset, text):
        header[offset:offset + len(text)] = text

    put(0, name.encode())
    put(100, b"000444 \0")
    for offset in 108, 116, 329, 337:
        put(offset, b"000000 \0")
    put(124, b"%011o " % len(data))
    put(136, b"00000000000 ")
    put(148, b" " * 8)
    put(156, b"0")
    put(257, b"ustar\00000")
    put(148, b"%06o\0 " % sum(header))
    return bytes(header) + data + bytes(-len(data) % 512)


def bundle(output, repository, *blobs):
    metadata = f"{repository}/metadata"
    snapshot = json.loads(load(f"{metadata}/timestamp.json"))["signed"]["meta"]["snapshot.json"]["version"]
    names = {os.path.basename(path) for path in glob.glob(f"{metadata}/*.root.json")} | {"timestamp.json", f"{snapshot}.snapshot.json"}
    for name, meta in json.loads(load(f"{metadata}/{snapshot}.snapshot.json"))["signed"]["meta"].items():
        names.add(f"{meta['version']}.{name}")
    members = [("format", b"clapet bundle 1\n")] + [(f"metadata/{name}", load(f"{metadata}/{name}")) for name in sorted(names)]
    members += sorted((f"blobs/{digest(load(path))}", load(path)) for path in blobs)
    with open(output, "wb") as file:
        for name, data in members:
            file.write(member(name, data))
        file.write(bytes(1024))


if __name__ == "__main__":
    {"sign": sign_patch, "blobs": print_blobs, "bundle": bundle}[sys.argv[1]](*sys.argv[2:])
