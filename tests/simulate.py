#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""simulate.py: an outside that publishes, four insides behind lines that lose, repeat, delay and cut, and a model of each inside that
shares no code with Clapet. Called by tests/e2e/simulate.sh, which made the world.

    simulate.py BIN WORLD SEED ROUNDS [wrong]     "wrong": the model believes what was cut, so the two must disagree

Exit 0 and a line of counts; exit 1 with SEED= and every event so far where program and model disagree.
"""
import glob
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import tarfile

SMALL = ("rues", "cafes")
LARGE = "villes"
TABLE_ROWS = 4000


class Disagreement(Exception):
    pass


# --- what is published, read from the bundles and from the repository ---------------------------------------------------


def hashes_of(encoding):
    return {part["sha256"] for part in encoding["parts"]}


class Bundle:
    def __init__(self, path):
        self.path = path
        self.metadata = {}
        self.blobs = set()
        with tarfile.open(path) as archive:
            for member in archive:
                folder, _, name = member.name.partition("/")
                if folder == "metadata":
                    self.metadata[name] = json.load(archive.extractfile(member))["signed"]
                elif folder == "blobs":
                    data = archive.extractfile(member).read()
                    assert hashlib.sha256(data).hexdigest() == name, member.name
                    self.blobs.add(name)

    def timestamp(self):
        return self.metadata["timestamp.json"]["version"]


class Target:
    def __init__(self, target):
        encoding = target["custom"]["encodings"][0]
        base = encoding.get("base")
        self.plain = target["hashes"]["sha256"]
        self.parts = hashes_of(encoding)
        self.base = base["sha256"] if base else None
        self.base_parts = hashes_of(base) if base else set()


def targets_of(role):
    return {path: Target(target) for path, target in role["targets"].items()}


def version_of(name, role):
    """The version that a role's metadata name, in sixteen digits; None where it is withdrawn."""
    targets = targets_of(role)
    package = targets.get(name + "/datapackage.json")
    return package.plain[:16] if package else None


def roles_of(snapshot):
    return {name[:-5]: meta["version"] for name, meta in snapshot["meta"].items() if name != "targets.json"}


# --- the model of an inside ---------------------------------------------------------------------------------------------


class Model:
    """Trust is the newest that was delivered. A blob is kept if trusted metadata name it; what cannot be judged yet, because metadata are
    missing, waits. A version comes in force when every file of it can be made."""

    def __init__(self):
        self.timestamp = 0
        self.snapshot = 0
        self.named = {}  # role -> version, by the trusted snapshot
        self.roles = {}  # role -> its metadata, where they are here
        self.blobs = set()
        self.waiting = []
        self.objects = {}  # dataset -> plain digests
        self.in_force = {}  # dataset -> version
        self.views = {}  # dataset -> (state, version in force, names missing)

    def deliver(self, bundle):
        self.waiting.append(bundle)
        before = None
        while before != (self.timestamp, len(self.roles), len(self.blobs)):
            before = (self.timestamp, len(self.roles), len(self.blobs))
            self.waiting = [other for other in self.waiting if self.take(other)]
            self.settle()

    def take(self, bundle):
        """Whether it waits."""
        if bundle.timestamp() > self.timestamp:
            self.timestamp = bundle.timestamp()
            self.snapshot = bundle.metadata["timestamp.json"]["meta"]["snapshot.json"]["version"]
            self.named = roles_of(bundle.metadata["%d.snapshot.json" % self.snapshot])
            self.roles = {name: role for name, role in self.roles.items() if role["version"] == self.named.get(name)}
        for name, version in self.named.items():
            role = bundle.metadata.get("%d.%s.json" % (version, name))
            if role:
                self.roles[name] = role
        wanted = set()
        for role in self.roles.values():
            for target in targets_of(role).values():
                wanted |= target.parts | target.base_parts
        self.blobs |= bundle.blobs & wanted
        return bool(bundle.blobs - wanted) and len(self.roles) < len(self.named)

    def missing_of(self, name, role):
        objects, missing = self.objects.setdefault(name, set()), set()
        for target in targets_of(role).values():
            if target.plain in objects:
                continue
            missing |= target.parts - self.blobs
            if target.base and target.base not in objects:
                missing |= target.base_parts - self.blobs
        return missing

    def settle(self):
        self.views = {}
        for name in self.named:
            if name != "status":
                state, missing = self.settle_one(name)
                self.views[name] = (state, self.in_force.get(name), missing)

    def settle_one(self, name):
        if name not in self.roles:
            return "missing", ["%d.%s.json" % (self.named[name], name)]
        role = self.roles[name]
        version = version_of(name, role)
        if version is None:
            self.in_force.pop(name, None)
            return "withdrawn", []
        if self.in_force.get(name) == version:
            return "in force", []
        missing = self.missing_of(name, role)
        if missing:
            return "missing", sorted(missing)
        for target in targets_of(role).values():
            self.objects[name] |= {target.plain} | ({target.base} if target.base else set())
        self.in_force[name] = version
        return "in force", []


# --- the two sides ------------------------------------------------------------------------------------------------------


class Simulation:
    def __init__(self, bin_folder, world, seed, rounds, wrong):
        self.bin, self.world, self.rounds, self.wrong = bin_folder, world, rounds, wrong
        self.random = random.Random(seed)
        self.trace, self.bundles, self.hosts = [], [], []
        self.published = {}  # dataset -> its versions in order
        self.rows = {name: [["%02d" % i, name] for i in range(3)] for name in SMALL}
        self.large = ["%06d,nom-%d" % (i, self.random.getrandbits(40)) for i in range(TABLE_ROWS)]
        self.first_of_large = list(self.large)
        self.withdrawn = False
        self.counts = dict.fromkeys(
            "bundles delivered dropped repeated delayed cut missing-seen late-completed patches withdrawn asked".split(), 0)

    def note(self, event, *args):
        self.trace.append("%s %s" % (event, " ".join(str(arg) for arg in args)))

    def program(self, name, config, *args, allowed=(0,)):
        done = subprocess.run([os.path.join(self.bin, name), "--config", config, *args], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode not in allowed:
            raise Disagreement("%s %s: exit %d\n%s%s" % (name, " ".join(args), done.returncode, done.stdout, done.stderr))
        return done

    def outside(self, *args, **kwargs):
        return self.program("clapet-outside", os.path.join(self.world, "out/outside.json"), *args, **kwargs)

    def take_bundles(self):
        """Those that the outbox has and had not."""
        known = {bundle.path for bundle in self.bundles}
        new = [Bundle(path) for path in sorted(glob.glob(self.world + "/out/outbox/*.tar")) if path not in known]
        self.bundles += new
        self.counts["bundles"] += len(new)
        return new

    def newest(self):
        """What the outside's own repository says: role -> metadata."""
        folder = self.world + "/out/repository/metadata/"
        with open(folder + "timestamp.json") as file:
            timestamp = json.load(file)["signed"]
        with open(folder + "%d.snapshot.json" % timestamp["meta"]["snapshot.json"]["version"]) as file:
            named = roles_of(json.load(file)["signed"])
        roles = {}
        for name, version in named.items():
            with open(folder + "%d.%s.json" % (version, name)) as file:
                roles[name] = json.load(file)["signed"]
        return timestamp["version"], roles

    def note_published(self):
        for name, role in self.newest()[1].items():
            versions = self.published.setdefault(name, [])
            if name != "status" and (not versions or versions[-1] != version_of(name, role)):
                versions.append(version_of(name, role))
                self.counts["patches"] += any(target.base for target in targets_of(role).values())

    # A round of the outside: some datasets change, or nothing does.

    def write(self, name):
        lines = ["code,nom"] + (self.large if name == LARGE else [",".join(row) for row in self.rows[name]])
        with open(os.path.join(self.world, "data", name + ".csv"), "w") as file:
            file.write("\n".join(lines) + "\n")

    def change_large(self):
        kind = self.random.choice(("few", "few", "few", "half", "back"))
        if kind == "back":
            self.large = list(self.first_of_large)
        else:
            for row in self.random.sample(range(TABLE_ROWS), 3 if kind == "few" else TABLE_ROWS // 2):
                self.large[row] = "%06d,nom-%d" % (row, self.random.getrandbits(40))
        self.note("change", LARGE, kind)
        self.write(LARGE)

    def change_small(self, name):
        if len(self.rows[name]) > 4 and self.random.random() < 0.4:
            self.rows[name] = self.rows[name][:4]
        else:
            self.rows[name].append(["%02d" % len(self.rows[name]), "%s-%d" % (name, len(self.rows[name]))])
        self.note("change", name, "to", len(self.rows[name]), "rows")
        self.write(name)

    def publish(self, number):
        draw = self.random.random()
        if number == self.rounds // 3:
            os.rename(self.world + "/cafes", self.world + "/out/sources/cafes")
            self.note("new dataset cafes")
        elif number == 2 * self.rounds // 3:
            self.outside("withdraw", "rues", "--reason", "another one takes its place")
            self.withdrawn = True
            self.counts["withdrawn"] += 1
            self.note("withdraw rues")
            return
        elif number > 0 and draw < 0.15:
            self.outside("heartbeat")
            self.note("heartbeat")
            return
        if number > 0:
            if self.random.random() < 0.75:
                self.change_large()
            for name in SMALL:
                if self.random.random() < 0.4 and not (name == "rues" and self.withdrawn):
                    self.change_small(name)
        keyframe = ["--keyframe"] if self.random.random() < 0.15 else []
        self.note("sync", *keyframe)
        self.outside("sync", "--force", *keyframe)


class Host:
    """An inside, the line that leads to it, and the model of it."""

    def __init__(self, simulation, name, is_exact=True, options=None):
        self.simulation, self.name, self.is_exact = simulation, name, is_exact
        self.random = random.Random(simulation.random.getrandbits(32))
        self.model, self.queue, self.place = Model(), [], {}
        self.folder = os.path.join(simulation.world, "host-" + name)
        self.was_missing = set()
        for part in ("incoming", "spool", "contracts", "store", "line"):
            os.makedirs(os.path.join(self.folder, part))
        shutil.copy(simulation.world + "/in/policy.json", self.folder)
        with open(simulation.world + "/in/inside.json") as file:
            config = json.load(file)
        config.update(options or {})
        with open(self.folder + "/inside.json", "w") as file:
            json.dump(config, file)
        self.inside("init", "--root", simulation.world + "/out/repository/metadata/1.root.json")

    def inside(self, *args, **kwargs):
        return self.simulation.program("clapet-inside", self.folder + "/inside.json", *args, **kwargs)

    # The line.

    def send(self, bundle):
        draw, counts = self.random.random(), self.simulation.counts
        if draw < 0.2:
            counts["dropped"] += 1
            self.simulation.note(self.name, "drops", bundle.timestamp())
        elif draw < 0.35:
            counts["repeated"] += 1
            self.queue += [[0, bundle, 1], [self.random.randrange(4), bundle, 1]]
        elif draw < 0.6:
            counts["delayed"] += 1
            self.queue.append([self.random.randrange(1, 5), bundle, 1])
        elif draw < 0.8:
            counts["cut"] += 1
            self.queue.append([self.random.randrange(2), bundle, self.random.random()])
            if self.random.random() < 0.5:
                self.queue.append([self.random.randrange(4), bundle, 1])
        else:
            self.queue.append([0, bundle, 1])

    def run_line(self):
        due = [item for item in self.queue if item[0] <= 0]
        self.queue = [[item[0] - 1] + item[1:] for item in self.queue if item[0] > 0]
        self.random.shuffle(due)
        for _, bundle, share in due:
            self.deliver(bundle, share)

    def deliver(self, bundle, share=1):
        path = os.path.join(self.folder, "line", os.path.basename(bundle.path))
        shutil.copy(bundle.path, path)
        if share < 1:
            os.truncate(path, 1 + int(share * (os.path.getsize(path) - 2)))
            if self.random.random() < 0.5:
                os.rename(path, path[:-4] + "-copy.tar")
                path = path[:-4] + "-copy.tar"
        self.simulation.note(self.name, "gets", bundle.timestamp(), "whole" if share == 1 else "cut at %.3f" % share,
                             os.path.basename(path))
        self.inside("import", path, allowed=(0, 4))
        self.simulation.counts["delivered"] += 1
        if os.path.exists(path):
            os.unlink(path)
        if share == 1 or self.simulation.wrong:
            self.model.deliver(bundle)
        self.compare()

    # The program against the model.

    def status(self):
        return json.loads(self.inside("--json", "status", allowed=(0, 1, 3, 4)).stdout)

    def agree(self, what, said, expected):
        if said != expected:
            raise Disagreement("%s: %s\n  clapet-inside: %s\n  model:         %s" % (self.name, what, said, expected))

    def never_back(self, name, version):
        """Some place in what was published, at or behind the one before."""
        versions = self.simulation.published.get(name, [])
        at = self.place.get(name, 0)
        while at < len(versions) and versions[at] != version:
            at += 1
        if at == len(versions):
            raise Disagreement("%s: %s went back to %s (published: %s)" % (self.name, name, version, versions))
        self.place[name] = at

    def compare(self):
        status = self.status()
        trust = status["trust"] or {"timestamp": 0, "snapshot": 0}
        self.agree("trusted timestamp", trust["timestamp"], self.model.timestamp)
        self.agree("trusted snapshot", trust["snapshot"], self.model.snapshot)
        views = {view["name"]: (view["state"], view["version"], sorted(item["name"] for item in view["missing"]))
                 for view in status["datasets"]}
        for name, (_, version, _) in views.items():
            if version is not None:
                self.never_back(name, version)
        if self.is_exact:
            self.agree("datasets", views, self.model.views)
        missing = {name for name, view in self.model.views.items() if view[0] == "missing"}
        self.simulation.counts["missing-seen"] += bool(missing)
        self.simulation.counts["late-completed"] += len(
            [name for name in self.was_missing - missing if self.model.views[name][0] == "in force"])
        self.was_missing = missing

    def ask(self):
        """The request for what is missing, to the outside, and what it brings: onto the line like any other."""
        if self.model.timestamp == 0:
            return
        request = self.inside("missing", allowed=(0, 4))
        if self.is_exact:
            self.agree("exit of missing", request.returncode, 4 if self.was_missing else 0)
        if request.returncode == 0:
            return
        with open(self.folder + "/request", "w") as file:
            file.write(request.stdout)
        self.simulation.outside("resend", self.folder + "/request")
        self.simulation.counts["asked"] += 1
        self.simulation.note(self.name, "asks")

    # The end.

    def deliver_all(self):
        """All once more, in any order. What came back after it had been gone (a table that is again as it was) may have arrived while
        nothing named it: then the second time brings it. What was cut is at rest by now, so that the whole one takes its place."""
        for path in glob.glob(self.folder + "/incoming/*.tar"):
            os.utime(path, (0, 0))
        for _ in range(2):
            order = list(self.simulation.bundles)
            self.random.shuffle(order)
            for bundle in order:
                self.deliver(bundle)
            status = self.status()
            if not any(view["missing"] for view in status["datasets"]):
                break
        timestamp, roles = self.simulation.newest()
        self.agree("the newest timestamp", status["trust"]["timestamp"], timestamp)
        for view in status["datasets"]:
            self.agree("missing of " + view["name"], view["missing"], [])
            self.agree("version of " + view["name"], view["version"], version_of(view["name"], roles[view["name"]]))
        self.agree("number of datasets", len(status["datasets"]), len(roles) - 1)
        self.agree("left in incoming", [name for name in os.listdir(self.folder + "/incoming") if name.endswith(".tar")], [])
        self.inside("verify")

    def digest(self, *path):
        with open(os.path.join(self.folder, "store", *path), "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()

    def store(self):
        """What must not depend on the way: trust, whole; of mirror, versions and objects what trust names; the set in force."""
        _, roles = self.simulation.newest()
        store = self.folder + "/store/"
        found = {"trust/" + name: self.digest("trust", name) for name in os.listdir(store + "trust")}
        for name in os.listdir(store + "current/"):
            if name != "clapet.json":
                for file in os.listdir(store + "current/" + name):
                    found["%s/%s" % (name, file)] = self.digest("current", name, file)
        for name, role in roles.items():
            path = "mirror/metadata/%d.%s.json" % (role["version"], name)
            found[path] = self.digest(path)
            targets = targets_of(role)
            for target in targets.values():
                for blob in target.parts | target.base_parts:
                    self.agree("blob", self.digest("mirror/blobs", blob), blob)
                    found["mirror/blobs/" + blob] = blob
            version = version_of(name, role)
            for path, target in targets.items() if version else ():
                for plain in {target.plain, target.base} - {None}:
                    self.agree("object of " + path, self.digest("datasets", name, "objects", plain), plain)
                    found["%s/objects/%s" % (name, plain)] = plain
                self.agree(path, self.digest("datasets", name, "v", version, path.split("/")[1]), target.plain)
                found["v/" + path] = version
        return found


def simulate(simulation):
    hosts = [Host(simulation, "first"), Host(simulation, "second"),
             Host(simulation, "short", False, {"keepGenerations": 1, "keepAtLeast": "1s"})]
    for name in (LARGE,) + SMALL:
        simulation.write(name)
    for number in range(simulation.rounds):
        simulation.publish(number)
        if number > 3 and simulation.random.random() < 0.5:
            simulation.random.choice(hosts).ask()
        simulation.note_published()
        if number == simulation.rounds // 2:
            hosts.append(Host(simulation, "late"))
        for bundle in simulation.take_bundles():
            for host in hosts:
                host.send(bundle)
        for host in hosts:
            host.run_line()
    for host in hosts:
        host.deliver_all()
    stores = [host.store() for host in hosts]
    for host, store in zip(hosts[1:], stores[1:]):
        if store != stores[0]:
            differ = sorted(set(store.items()) ^ set(stores[0].items()))
            raise Disagreement("the stores of first and %s differ: %s" % (host.name, differ))


def main():
    bin_folder, world, seed, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    simulation = Simulation(bin_folder, world, seed, rounds, "wrong" in sys.argv[5:])
    try:
        simulate(simulation)
    except Disagreement as why:
        print("SEED=%d ROUNDS=%d" % (seed, rounds))
        print("\n".join("  " + line for line in simulation.trace))
        print(why)
        return 1
    print(" ".join("%s=%d" % item for item in simulation.counts.items()))
    return 0


sys.exit(main())
