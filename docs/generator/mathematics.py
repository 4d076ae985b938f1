"""The plain-text mathematics of docstrings, such as `L_psi = E softplus(-psi(x))`, as LaTeX.

Docstrings are read in a terminal too, so equations are written plainly in them. What is a letter of mathematics and
what a word is told by the tables below; a word inside an equation becomes text.
"""

import re

GREEK = (
    "alpha beta gamma delta epsilon zeta eta theta kappa lambda mu nu xi pi rho sigma tau phi psi omega Delta".split()
)
SYMBOLS = {name: rf"\{name}" for name in GREEK} | {"lam": r"\lambda", "zbar": r"{\bar z}", "grad": r"\nabla"}
FUNCTIONS = {name: rf"\{name}" for name in "log exp tanh det cos min max".split()}
FUNCTIONS |= {name: rf"\operatorname{{{name}}}" for name in "softplus sg clip floor mean diag tr var".split()}
FUNCTIONS |= {name: rf"\mathrm{{{name}}}" for name in "KL MMD PT Enc Dec".split()} | {"sum": r"\sum"}
OPERATORS = {"<=": r"\le", ">=": r"\ge", "!=": r"\ne", "<-": r"\leftarrow", "->": r"\to", "+-": r"\pm", "~": r"\sim"}
OPERATORS |= {"{": r"\{", "}": r"\}", "%": r"\%", "...": r"\dots", "*": r"\cdot", "\n": " "}

BASES = "|".join([*SYMBOLS, "sum", "mean"])  # longer names that take a subscript
TOKEN = re.compile(
    rf"""(?P<code>`[^`]+`|"[^"]*")
    |(?P<word>'s\b|[A-Za-z][a-z]*(?:-[A-Za-z]+)+(?=[\s,.;:)]|$))
    |(?P<sub>(?<![A-Za-z_])(?:[A-Za-z]|{BASES})_(?:\{{[^}}]*\}}|[A-Za-z0-9]{{1,5}}(?![A-Za-z0-9_])))
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<number>\d[\d,]*(?:\.\d+)?(?:e-?\d+)?(?<!,))
    |(?P<power>\^(?:\{{[^}}]*\}}|-?\d+|[A-Za-z](?![A-Za-z])))
    |(?P<plus>(?<=\])_\+)
    |(?P<accent>(?<=[A-Za-z0-9])(?:\^(?![0-9{{A-Za-z])|~(?![ \n])|~(?=\s*[),=])|\*(?=[\s),=|/(.]|$)|'))
    |(?P<space>\s+)
    |(?P<operator>\|\||<=|>=|!=|<-|->|\+-|\.\.\.|.)""",
    re.VERBOSE,
)


def equation(text: str) -> str:
    """LaTeX of a whole equation: what is no mathematics in it is text."""
    return _latex(_tokens(text))


def segments(text: str) -> list[tuple[str, str]]:
    """Prose in pieces: ("text", words), ("code", without its backticks) or ("math", LaTeX)."""
    tokens, found, at = _tokens(text), [], 0
    while at < len(tokens):
        end = _end_of_formula(tokens, at)
        if end > at:
            piece = ("math", _latex(tokens[at:end]))
        elif tokens[at][0] == "code" and tokens[at][1][0] == "`":
            piece = ("code", tokens[at][1].strip("`"))
        else:
            piece = ("text", tokens[at][1])
        if found and found[-1][0] == piece[0] == "text":
            found[-1] = ("text", found[-1][1] + piece[1])
        else:
            found.append(piece)
        at = max(end, at + 1)
    return found


def _tokens(text):
    return [(match.lastgroup, match.group()) for match in TOKEN.finditer(text)]


def _is_letter(tokens, at):
    """Whether this token can only be mathematics."""
    kind, text = tokens[at]
    if kind == "sub":
        return True
    if kind != "name":
        return False
    after = tokens[at + 1][1] if at + 1 < len(tokens) else ""
    if text in FUNCTIONS:
        return after[:1] in ("(", "^", "_", "|") or bool(after.isspace() and _symbol_follows(tokens, at + 2))
    if text in ("a", "A", "I") and after.isspace():
        return not (at + 2 < len(tokens) and tokens[at + 2][0] in ("name", "word", "code")) and text != "I"
    return text in SYMBOLS or bool(re.fullmatch(r"[A-Za-z]|\d?[A-Z]\d?", text))


def _symbol_follows(tokens, at):
    return at < len(tokens) and (tokens[at][1] in ("|", "||", "(", "[") or _is_letter(tokens, at))


def _end_of_formula(tokens, start):
    """Where the longest formula that begins here ends; `start` if none does. It holds no words outside brackets."""
    kind, text = tokens[start]
    opens = text in ("(", "[", "||", "-") and start + 1 < len(tokens) and not tokens[start + 1][1].isspace()
    if not (_is_letter(tokens, start) or opens) or (text == "-" and not _is_letter(tokens, start + 1)):
        return start
    end, depth, letters, called = start, 0, False, False
    for at in range(start, len(tokens)):
        kind, text = tokens[at]
        letter = _is_letter(tokens, at)
        letters |= letter
        if text in ("(", "["):
            called = at > start and not tokens[at - 1][1].isspace()
            depth += 1
        elif text in (")", "]"):
            depth -= 1
        elif kind in ("word", "code") or (kind == "name" and not letter and not (depth and called)):
            break
        elif text in (".", ";", ":", "?", "!", '"') or (text == "," and depth == 0):
            if not (text in (".", ":") and depth):
                break
        if depth < 0:
            break
        ends = letter or kind in ("number", "power", "plus", "accent") or text in (")", "]", "|", "||")
        if ends and depth == 0 and letters:
            end = at + 1
    return end


def _latex(tokens):
    parts, inside = [], False  # a norm
    for at, (kind, text) in enumerate(tokens):
        spaced = at > 0 and tokens[at - 1][0] == "space"
        after = tokens[at + 1][1] if at + 1 < len(tokens) else ""
        if text == "||":
            if spaced and after.isspace():
                parts.append(r"\,\Vert\,")
            else:
                inside = not inside
                parts.append(r"\lVert " if inside else r"\rVert ")
        elif kind == "name" and text == "E" or (kind == "sub" and text.startswith("E_")):
            expected = after.isspace() and _symbol_follows(tokens, at + 2)
            sign = r"\mathbb E" if expected else "E"
            parts.append(sign + (_subscript(text[2:]) if kind == "sub" else "") + (r"\," if expected else ""))
        else:
            parts.append(_piece(kind, text, after, parts, words=not _is_letter(tokens, at)))
    return _together(parts)


def _together(parts):
    """One string; words with the spaces between and around them are one text."""
    joined = "".join(parts)
    joined = re.sub(r"\x02( *[,.;:]? *)\x01", r"\1", joined).replace("\x02\x01", "")
    words = re.sub(r"( ?)\x01([^\x01]*)\x02( ?)", lambda found: rf"\text{{{''.join(found.groups())}}}", joined)
    spaced = re.sub(r"(?:\\,\s*)+", r"\\,", re.sub(" +", " ", words).replace("\x01", "").replace("\x02", ""))
    return spaced.strip().removeprefix("\\,")


def _typewriter(name):
    escaped = name.replace("_", r"\_")
    return rf"\mathtt{{{escaped}}}\,"


def _piece(kind, text, after, parts, words):
    if kind == "space":
        return " "
    if kind == "code":
        return _typewriter(text.strip("`"))
    if kind == "sub":
        base, _, sub = text.partition("_")
        letter = {"L": r"\mathcal L", **SYMBOLS, **FUNCTIONS}.get(base, base)
        return letter + _subscript(sub) + " "
    if kind == "power":
        return f"^{{{equation(text[1:].strip('{}'))}}}"
    if kind == "accent":
        return _accent(text, after, parts)
    if kind in ("name", "word"):
        return _name(text, after, words)
    return OPERATORS.get(text, text) + " " if text in OPERATORS else text


def _name(text, after, words):
    if text in SYMBOLS:
        return SYMBOLS[text] + " "
    if text in FUNCTIONS and not (words and len(text) > 2 and after.isspace()):
        return rf"\,{FUNCTIONS[text]}" + (r"\," if after.isspace() else " ")
    if "_" in text:
        return _typewriter(text)
    if len(text) == 1 and not words:
        return {"L": r"\mathcal L", "N": r"\mathcal N" if after == "(" else "N"}.get(text, text)
    return f"\x01{text}\x02"  # the marks of words, see `_together`


def _accent(text, after, parts):
    if text == "'":
        return r"^\top " if re.match("[A-Za-z]", after) else "'"
    if text == "*":
        return "^*"
    before = parts.pop().strip()
    return rf"{{\{'hat' if text == '^' else 'tilde'} {before}}}"


def _subscript(sub):
    sub = sub.strip("{}")
    if sub in SYMBOLS or re.fullmatch(r"[a-z]{2}|.", sub):
        return f"_{{{SYMBOLS.get(sub, sub)}}}"
    return f"_{{{equation(sub)}}}" if re.search(r"\W|_", sub) or sub.isdigit() else rf"_{{\mathrm{{{sub}}}}}"
