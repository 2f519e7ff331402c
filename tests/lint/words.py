# SPDX-License-Identifier: Apache-2.0
"""Words: functions that are not used, comments that say too little, and output from layers that must return errors."""
import re

from common import C_FILES, code_only, find_all

FUNCTIONS = {
    "atoi|atol|atoll|strtol|strtoul|strtoll|strtoull|strtod|strtof|sscanf|fscanf|scanf": "use sn_parse_*",
    "strcpy|strcat|strncpy|strncat|stpcpy|sprintf|vsprintf|gets": "use struct sn_buf",
    "strtok|strtok_r|strsep": "use sn_slice_next",
    "system|popen|execlp|execvp|execvpe": "no shell and no search path in the product; see how exec starts children",
    "rand|srand|random|srandom|drand48|rand_r|arc4random": "use sn_random",
    "localtime|localtime_r|mktime|gmtime|gmtime_r|ctime|asctime|strftime|strptime": "use sn_time_*",
    "tmpnam|tempnam|mktemp|tmpfile": "use sn_fs_write_*",
    "getenv|secure_getenv|setenv|putenv|unsetenv|clearenv": "use sn_env_get",
    "alloca|gethostbyname|inet_aton|inet_addr|bcmp|signal|vfork|usleep|longjmp|setjmp": "not used here",
    "malloc|calloc|realloc|reallocarray|strdup|strndup|asprintf|vasprintf": "use sn_alloc and its relatives",
}
# Where a function of the table has its home.
HOME = {
    "getenv": r"src/base/env\.c", "secure_getenv": r"src/base/env\.c",
    "malloc": r"src/(base/.*|net/client\.c)", "calloc": r"src/base/.*", "realloc": r"src/base/.*",
    "execvp": r"src/(cli|vault|main)/.*", "execvpe": r"src/(cli|vault|main)/.*",
    "setenv": r"src/main/.*", "unsetenv": r"src/(main/.*|cli/tvm_notify\.c)", "clearenv": r"src/main/.*",
}
SPEAKS = r"src/(base|cli|main|lab|tvm)/.*"     # may log above debug
PRINTS = r"src/(base|cli|main|lab)/.*"         # may write to stdout and stderr
ENDS = r"src/(base|main|platform)/.*"          # may end the process


def check_source(path, code):
    problems = []
    for names, instead in FUNCTIONS.items():
        for match in re.finditer(rf"(?<![\w.>])({names})\s*\(", code):
            if not re.fullmatch(HOME.get(match.group(1), "-"), path):
                problems.append(f"{path}:{code.count(chr(10), 0, match.start()) + 1}: {match.group(1)}(): {instead}")
    if not re.fullmatch(SPEAKS, path):
        problems += find_all(path, code, r"\bsn_log_(info|warn|error)\s*\(", "this layer returns errors; it logs at debug only")
    if not re.fullmatch(PRINTS, path):
        problems += find_all(path, code, r"(?<![\w.>])(printf|puts|putchar|perror|vprintf)\s*\(|\b(stdout|stderr)\b",
                             "this layer writes to no standard stream")
    if not re.fullmatch(ENDS, path):
        problems += find_all(path, code, r"(?<![\w.>])(exit|abort|quick_exit|assert)\s*\(", "this layer does not end the process")
    problems += find_all(path, code, r"^\s*typedef\s+(struct|enum|union)\b\s*\w*\s*(\{|\w+\s*;)", "no typedef for structs and enums")
    problems += find_all(path, code, r"^#\s*pragma\s+once", "use a header guard")
    return problems


def check(tree):
    problems = []
    for path in tree.match(C_FILES):
        text = tree.read(path)
        code = code_only(text)
        problems += find_all(path, code_only(text, keep_line_comments=True), r"//.*", "comments are /* */")
        problems += find_all(path, text, r"\t", "indent with blanks") if "corpus" not in path else []
        if path.startswith("src/") and path != "src/base/banned.h":
            problems += check_source(path, code)
    here = "tests/lint/words.py"
    for path in tree.match(r"(src|tests|contrib|packaging|docs)/.*|Makefile|.*meson\.build"):
        if path != here and "/corpus/" not in path:
            marks = "TODO|FIXME|XXX|HACK"
            problems += find_all(path, tree.read(path), rf"\b({marks})\b(?!\(#[0-9]+\))", "a mark needs an issue: TODO(#12)")
    return problems


GOOD = {"src/core/a.c": '/* http://x // strcpy( */\nstatic const char *u = "https://x strcpy(";\nint f(void);\n/* TODO(#12) later */\n'
                        "typedef enum sn_status (*sn_f_fn)(struct s *a, int b);\nint sn_system(void);\nint g(struct s *s) { return s->system(1) + sn_system(); }\n",
        "src/base/env.c": "const char *x = getenv(name);\n"}
BAD = [
    ("line comment", {"src/core/a.c": "int a; // why\n"}, "comments are"),
    ("strcpy", {"src/core/a.c": "strcpy(a, b);\n"}, "strcpy()"),
    ("getenv elsewhere", {"src/cli/a.c": "x = getenv(n);\n"}, "getenv()"),
    ("rand", {"src/core/a.c": "return rand ();\n"}, "rand()"),
    ("system", {"src/cli/a.c": "system(c);\n"}, "system()"),
    ("allocation", {"src/net/a.c": "p = malloc(3);\n"}, "malloc()"),
    ("mark without issue", {"src/core/a.c": "/* TODO later */\n"}, "needs an issue"),
    ("log in core", {"src/core/a.c": 'sn_log_warn("a", "b");\n'}, "returns errors"),
    ("printf in net", {"src/net/a.c": 'printf("x");\n'}, "no standard stream"),
    ("stderr in aws", {"src/aws/a.c": 'fputs("x", stderr);\n'}, "no standard stream"),
    ("exit in tvm", {"src/tvm/a.c": "exit(1);\n"}, "does not end"),
    ("typedef", {"src/core/a.h": "typedef struct a a_t;\n"}, "no typedef"),
    ("typedef with a body", {"src/core/a.h": "typedef enum { A } a_t;\n"}, "no typedef"),
    ("tab", {"src/core/a.c": "\tint a;\n"}, "blanks"),
]
