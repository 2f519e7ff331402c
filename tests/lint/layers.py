# SPDX-License-Identifier: Apache-2.0
"""Layers: which folder of src may include which, and where the headers of libraries may stand."""
import re

from common import C_SOURCE, code_only, line_of

# What a folder may include beside itself. Everything not listed is forbidden.
MAY_USE = {
    "base": "",
    "platform": "base",
    "codec": "base",
    "crypto": "base",
    "net": "base codec crypto platform",
    "aws": "base codec crypto net",
    "core": "base codec crypto",
    "store": "base codec crypto net aws core",
    "keyring": "base codec crypto platform",
    "vault": "base codec crypto platform net aws core keyring",
    "tvm": "base codec crypto net aws core",
    "admin": "base codec crypto net aws core",
    "lab": "base codec crypto net",
    "cli": "base codec crypto platform net aws core store keyring vault tvm admin",
    "main": "base codec crypto platform net aws core store keyring vault tvm admin lab cli",
}
# Headers that a folder may use only in part: (user, pattern of the header, why).
FORBIDDEN = [
    ("lab", r"crypto/(?!hash\.h)", "the lab may use the hashes of crypto and nothing else"),
]
# Libraries: pattern of the header, files that may include it.
LIBRARIES = [
    (r"curl/.*", r"src/net/.*\.c"),
    (r"openssl/.*", r"src/crypto/.*\.c"),
    (r"jansson\.h", r"src/codec/json_read\.c"),
    (r"yaml\.h", r"src/codec/yaml\.c"),
    (r"expat\.h", r"src/codec/xml\.c"),
    (r"sqlite3\.h", r"src/store/sqlite.*\.c|src/store/sqlite_internal\.h"),
    (r"keyutils\.h", r"src/keyring/.*\.c"),
    (r"systemd/.*", r"src/keyring/.*\.c"),
    (r"sanitizer/.*", r"src/base/task\.c"),
    (r"linux/.*|sys/(prctl|syscall|mman|random)\.h", r"src/(?!core/|codec/).*\.c"),
]
# Headers of the C library and the system; whatever else stands in <> is a library that nobody has entered above.
SYSTEM = re.compile(
    r"(assert|ctype|dirent|errno|fcntl|float|grp|inttypes|limits|locale|malloc|math|netdb|poll|pthread|pwd|sched|setjmp"
    r"|semaphore|signal|spawn|stdalign|stdarg|stdatomic|stdbool|stddef|stdint|stdio|stdlib|stdnoreturn|string|strings|termios|time"
    r"|unistd|wait|glob|fnmatch|getopt|libgen|dlfcn|utime|ftw|link|elf|execinfo|sysexits|ucontext|wchar|byteswap|endian|features)\.h"
    r"|(arpa|net|netinet|sys)/[a-z_0-9]+\.h")


def includes(text):
    code = code_only(text)
    for match in re.finditer(r"^[ \t]*#[ \t]*include[ \t]*", code, re.M):
        found = re.match(r'[<"][^>"\n]*[>"]', text[match.end():])
        if found:
            yield line_of(text, match.start()), found.group(0)[0] == "<", found.group(0)[1:-1]


def check_ours(path, line, header):
    user = path.split("/")[1]
    used = header.split("/")[0]
    if "/" not in header:
        return [f"{path}:{line}: \"{header}\" must be written with its folder"]
    if user not in MAY_USE:
        return [f"{path}:{line}: folder '{user}' is no known layer (tests/lint/layers.py)"]
    if used != user and used not in MAY_USE[user].split():
        return [f"{path}:{line}: {user} may not use {used}"]
    return [f"{path}:{line}: {why}" for who, pattern, why in FORBIDDEN if who == user and re.match(pattern, header)]


def check_library(path, line, header):
    for pattern, places in LIBRARIES:
        if re.fullmatch(pattern, header):
            if re.fullmatch(places, path):
                return []
            return [f"{path}:{line}: <{header}> belongs into {places}"]
    if SYSTEM.fullmatch(header):
        return []
    return [f"{path}:{line}: <{header}> is of no known library (tests/lint/layers.py)"]


def check(tree):
    problems = []
    for path in tree.match(C_SOURCE):
        for line, is_system, header in includes(tree.read(path)):
            problems += check_library(path, line, header) if is_system else check_ours(path, line, header)
    return problems


GOOD = {
    "src/core/policy/a.c": '#include "core/policy/a.h"\n#include <string.h>\n#include "base/slice.h"\n/* #include "net/x.h" */\n',
    "src/codec/yaml.c": '#include <yaml.h>\n',
    "src/lab/a.c": '#include "crypto/hash.h"\n',
}
BAD = [
    ("core uses net", {"src/core/a.c": '#include "net/client.h"\n'}, "core may not use net"),
    ("base uses codec", {"src/base/a.h": '#  include "codec/json.h"\n'}, "base may not use codec"),
    ("tvm uses store", {"src/tvm/a.c": '#include "store/sqlite.h"\n'}, "tvm may not use store"),
    ("lab uses aws", {"src/lab/a.c": '#include "aws/sign.h"\n'}, "lab may not use aws"),
    ("lab uses TLS", {"src/lab/a.c": '#include "crypto/tls.h"\n'}, "hashes of crypto"),
    ("a library in a header", {"src/codec/yaml.h": "#include <yaml.h>\n"}, "<yaml.h> belongs into"),
    ("a library in core", {"src/core/a.c": "#include <openssl/evp.h>\n"}, "<openssl/evp.h> belongs into"),
    ("an unknown library", {"src/core/a.c": "#include <glib.h>\n"}, "no known library"),
    ("a folder nobody knows", {"src/util/a.c": '#include "base/slice.h"\n'}, "no known layer"),
    ("no folder", {"src/base/a.c": '#include "slice.h"\n'}, "with its folder"),
]
