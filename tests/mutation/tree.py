# SPDX-License-Identifier: MIT
"""A copy of the tree with a build of its own, in which faults are planted."""
import glob
import hashlib
import json
import os
import shlex
import shutil
import subprocess

# Of the kernel programs: what the kernel loads. Their debug information has the lines of the source.
SECTIONS = (".text", "tc", "xdp", ".rodata", ".maps", ".data", ".bss")

# Without -g an object is the same whatever its source's line numbers are; -O1 drops what has no effect. The warnings
# are those that a fault may cause and that are no reason not to count it.
FLAGS = "-O1 -Wno-maybe-uninitialized -Wno-format-truncation"

# A compiler that optimises proves of some faults that they change nothing: it makes the same of both sources. Assertions
# hold the number of their line, which a fault of two lines moves.
OPTIMISERS = ("gcc", "clang")
OPTIMISED = ["-O2", "-w", "-g0", "-Wno-builtin-macro-redefined", "-D__LINE__=0"]


def project_files(root):
    """All files of the project: in a checkout those that git tracks or does not ignore, else all but build results."""
    if not os.path.exists(os.path.join(root, ".git")):
        return sorted(os.path.relpath(os.path.join(folder, name), root) for folder, _, names in os.walk(root)
                      for name in names if not os.path.relpath(folder, root).startswith("build"))
    out = subprocess.run(["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others",
                          "--exclude-standard"], cwd=root, check=True, stdout=subprocess.PIPE).stdout
    return sorted(set(n for n in os.fsdecode(out).split("\0") if n and os.path.isfile(os.path.join(root, n))))


def read(path):
    with open(path, "rb") as f:
        return f.read()


class Tree:
    def __init__(self, root, work, jobs, sanitize):
        self.root, self.jobs, self.sanitize = root, jobs, sanitize
        self.copy = os.path.join(work, "tree")
        self.build = os.path.join(work, "build-asan" if sanitize else "build")
        self.env = dict(os.environ, CCACHE_NOHASHDIR="1")
        self.objdump = next(filter(None, map(shutil.which, ["llvm-objdump", *(f"llvm-objdump-{n}"
                                                                              for n in range(25, 13, -1))])), None)
        self.users = {}   # source: the objects that depend on it
        self.hashes = {}  # object: what it is without a fault
        self.commands = {}  # object: the words of the command that makes it

    def update(self):
        """Makes the copy equal to the tree. A file that is equal keeps its time, so it is not compiled again."""
        names = project_files(self.root)
        for name in names:
            source, copy = os.path.join(self.root, name), os.path.join(self.copy, name)
            if not os.path.isfile(copy) or read(source) != read(copy):
                os.makedirs(os.path.dirname(copy), exist_ok=True)
                with open(copy, "wb") as f:
                    f.write(read(source))
            os.chmod(copy, os.stat(source).st_mode & 0o777)
        known = set(names)
        for folder, _, files in os.walk(self.copy):
            for name in files:
                path = os.path.join(folder, name)
                if os.path.relpath(path, self.copy) not in known:
                    os.remove(path)

    def configure(self):
        launcher = shutil.which("ccache")
        args = ["cmake", "-S", self.copy, "-B", self.build, "-G", "Ninja", "-DFFFA_TESTS=ON",
                "-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON", "-DCMAKE_C_FLAGS_DEBUG=" + FLAGS,
                "-DFFFA_SANITIZE=" + ("address,undefined" if self.sanitize else "")]
        if launcher:
            args.append("-DCMAKE_C_COMPILER_LAUNCHER=" + launcher)
        subprocess.run(args, check=True, stdout=subprocess.DEVNULL)
        with open(os.path.join(self.build, "compile_commands.json"), encoding="utf-8") as f:
            for words in (shlex.split(entry["command"]) for entry in json.load(f)):
                self.commands[words[words.index("-o") + 1]] = words

    def ninja(self, targets, check=False):
        if not targets:
            return True
        done = subprocess.run(["ninja", "-C", self.build, f"-j{self.jobs}", *targets], env=self.env,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
        if check and done.returncode:
            raise SystemExit("mutation: the tree does not build:\n" + done.stdout[-4000:])
        return done.returncode == 0

    def built(self, folder):
        """After a build: learns which objects depend on which source of the folder, and hashes them."""
        out = subprocess.run(["ninja", "-C", self.build, "-t", "deps"], check=True, stdout=subprocess.PIPE,
                             text=True).stdout
        self.users, self.hashes = {}, {}
        for block in out.split("\n\n"):
            first, *deps = block.strip().split("\n")
            # What holds the kernel programs changes with their debug information.
            if not any(d.endswith(".skel.h") for d in deps):
                self.add_users(first.split(":")[0], deps, folder)
        # ninja has no record of what the kernel programs depend on; the compiler wrote it.
        for path in glob.glob(os.path.join(self.build, "bpf", "*.bpf.o.d")):
            deps = read(path).decode().replace("\\\n", " ").split()[1:]
            self.add_users(os.path.relpath(path[:-2], self.build), deps, folder)
        for name, targets in self.users.items():
            own = [t for t in targets if t.startswith(folder + "/")]
            self.users[name] = own or targets  # the others are built for the tests that need them
        for target in set(t for list_ in self.users.values() for t in list_):
            self.hashes[target] = self.hash(target)

    def add_users(self, target, deps, folder):
        if not target.endswith(".o") or not os.path.isfile(os.path.join(self.build, target)):
            return
        for dep in deps:
            name = os.path.relpath(os.path.join(self.build, dep.strip()), self.copy)
            if name.startswith(folder + "/"):
                self.users.setdefault(name, []).append(target)

    def hash(self, target):
        path = os.path.join(self.build, target)
        if path.endswith(".bpf.o") and self.objdump:
            return subprocess.run([self.objdump, "-d", "-r", "-s", *("-j" + s for s in SECTIONS), path],
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
        return hashlib.sha256(read(path)).hexdigest()

    def compiles(self, name):
        return self.ninja(self.users[name])

    def is_same(self, name):
        return all(self.hash(t) == self.hashes[t] for t in self.users[name])

    def optimised(self, compiler, targets):
        """The hashes of what the compiler makes of the sources of these objects; None when it cannot."""
        hashes, out = [], os.path.join(self.build, "optimised.o")
        for words in map(self.commands.get, targets):
            if not words or subprocess.run([compiler, *words[1:], *OPTIMISED, "-o", out],
                                           stderr=subprocess.DEVNULL).returncode:
                return None
            hashes.append(self.hash(out))
        return hashes

    def is_same_when_optimised(self, name, kept):
        """Whether a compiler makes the same of the file as it is now and of its lines without the fault."""
        now = {c: self.optimised(c, self.users[name]) for c in OPTIMISERS if shutil.which(c)}
        self.write(name, kept)
        return any(h and h == self.optimised(c, self.users[name]) for c, h in now.items())

    def lines(self, name):
        with open(os.path.join(self.copy, name), encoding="utf-8") as f:
            return f.readlines()

    def write(self, name, lines):
        with open(os.path.join(self.copy, name), "w", encoding="utf-8") as f:
            f.writelines(lines)

    def tests(self):
        out = subprocess.run(["ctest", "--test-dir", self.build, "--show-only=json-v1"], check=True,
                             stdout=subprocess.PIPE).stdout
        return json.loads(out)["tests"]
