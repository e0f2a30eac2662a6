"""Answers that are the same but for names: what is a hint, and what is none."""

import pytest

from fmkit.course.likeness import form, hints, size

GIVEN = 'def smooth(x, beta):\n    """A running mean."""\n    raise NotImplementedError("write this")'
KIT = '''def smooth(x, beta):
    """A running mean."""
    ### BEGIN SOLUTION
    out, mean = [], 0.0
    for step, value in enumerate(x, start=1):
        mean = beta * mean + (1 - beta) * value
        out.append(mean / (1 - beta**step))  # undoes the start at zero
    return np.array(out)
    ### END SOLUTION'''
ADA = """def smooth(x, beta):
    m = 0.0  # mine
    found = np.zeros(len(x))
    for i in range(len(x)):
        m = beta * m
        m += (1 - beta) * x[i]
        found[i] = m / (1 - beta ** (i + 1))
    return found"""
RENAMED = '''def smooth(values, decay):
    """I wrote this on my own."""
    # really
    avg = 0.0
    result = np.zeros( len(values) )

    for t in range(len(values)):
        avg = decay * avg
        avg += (1 - decay) * values[t]
        result[t] = avg / (1 - decay ** (t + 1))
    return result'''
OTHER = """def smooth(x, beta):
    w = beta ** np.arange(len(x))[::-1]
    return np.array([(1 - beta) * (w[-i:] * x[:i]).sum() / (1 - beta**i) for i in range(1, len(x) + 1)])"""


def of(**answers):
    return hints(answers, GIVEN, [KIT])


def test_other_names_comments_and_layout_make_no_other_form():
    assert form(ADA) == form(RENAMED) != form(OTHER)
    assert of(ada=ADA, eve=RENAMED, zoe=OTHER).same == [["ada", "eve"]]
    assert of(ada=ADA, zoe=OTHER).same == []


@pytest.mark.parametrize(
    "edit", [("1 - decay)", "2 - decay)"), ("zeros", "ones"), ("(t + 1)", "t"), ("avg += ", "avg -= ")]
)
def test_another_number_function_or_sign_is_another_form(edit):
    assert edit[0] in RENAMED and of(ada=ADA, eve=RENAMED.replace(*edit)).same == []


def test_fences_of_markdown_hide_nothing():
    assert form(f"```python\n{ADA}\n```") == form(ADA) and size(f"```\n{ADA}") == size(ADA)


def test_names_that_swap_roles_are_another_form():
    one = "def f(a, b):\n    c = a - b\n    return c"
    assert form(one) == form(one.replace("c", "total")) != form("def f(a, b):\n    c = b - a\n    return c")


def test_what_others_define_keeps_its_name():
    assert form("def f(x):\n    return softmax(x)") != form("def f(x):\n    return sigmoid(x)")


def test_the_kits_own_ways_and_tiny_answers_are_no_hint():
    bare = KIT.replace("  # undoes the start at zero", "")
    assert of(ada=bare, eve=bare.replace("mean", "m")) == of(ada="", eve=""), "who knows it writes it so"
    tiny = "def smooth(x, beta):\n    return x * beta"
    assert of(ada=tiny, eve=tiny).same == []


def test_a_form_that_many_have_is_the_usual_one():
    few = {f"s{i}": ADA for i in range(3)}
    assert of(**few).same == [["s0", "s1", "s2"]] and of(**few, s3=RENAMED).same == []
    others = {f"t{i}": OTHER.replace("1", str(i + 2)) for i in range(96)}
    assert len(of(**few, s3=ADA, **others).same[0]) == 4, "four of a hundred are few again"


def test_the_kits_text_with_its_comments_is_a_hint_of_its_own():
    own = KIT.replace("    ### BEGIN SOLUTION\n", "").replace("\n    ### END SOLUTION", "")
    found = of(ada=own, eve=own.replace("value", "val"), zoe=own.replace("  # undoes the start at zero", ""))
    assert found.of_the_kit == ["ada", "eve"] and found.same == []
    assert of(ada=ADA + "  # undoes the start at zero").of_the_kit == []


@pytest.mark.parametrize(
    "source",
    ["", "def f(", "\0", "(" * 5000, "-" * 15000 + "1", "x = " + "[" * 3000 + "]" * 3000, "1" + "+1" * 9000]
    + ["a" + ".b" * 8000, "def f(x):\n" * 90 + " pass", "\ud800"],
)
def test_what_is_not_python_has_no_form(source):
    assert form(source) == "" and size(source) < 2 and of(ada=source, eve=source).same == []
