"""Every notebook: in its normal form, freshly run, and put together as the course asks."""

import ast
import inspect
import re
import symtable

import nbformat
from helpers.paths import ROOT

from fmkit.chapters.running import is_normalised
from fmkit.chapters.student import USES_ANSWER, student_version
from fmkit.lab import exercises
from fmkit.lab.judging.exercise import grade_id

PATHS = sorted((ROOT / "notebooks").glob("*.ipynb"))
NOTEBOOKS = {path.stem: nbformat.read(path, as_version=4) for path in PATHS}


def holds_everywhere(places, rule):
    """Ask the rule of every place; one failure names all the places that break it."""
    faults = []
    for name, *place in places:
        try:
            rule(*place)
        except Exception as error:
            faults.append(f"{name}: {error or type(error).__name__}")
    assert not faults, "\n" + "\n".join(faults)


def in_every_notebook(rule):
    def test():
        holds_everywhere(((name, name) for name in NOTEBOOKS), rule)

    return test


def for_every_exercise(rule):
    def test():
        holds_everywhere(((exercise.id, exercise) for exercise in exercises.every()), rule)

    return test


def code_cells(nb):
    return [cell for cell in nb.cells if cell.cell_type == "code"]


def tree(cell):
    """The cell's syntax tree, without IPython's own lines."""
    return ast.parse(re.sub(r"^(\s*)[%!?].*$", r"\1pass", cell.source, flags=re.M))


def texts(output):
    """What an output says in words."""
    if output.output_type == "stream":
        return output.text
    return "".join(output.get("data", {}).get("text/plain", ""))


# --- the file ----------------------------------------------------------------------------------------------


@in_every_notebook
def test_normal_form_and_fresh_run(name):
    assert is_normalised(NOTEBOOKS[name]) == [], f"run: fmkit notebook run notebooks/{name}.ipynb"


@in_every_notebook
def test_format(name):
    nbformat.validate(NOTEBOOKS[name])
    ids = [cell.id for cell in NOTEBOOKS[name].cells]
    assert len(ids) == len(set(ids))


@in_every_notebook
def test_size(name):
    assert (ROOT / "notebooks" / f"{name}.ipynb").stat().st_size < 1_000_000


@in_every_notebook
def test_name(name):
    assert re.fullmatch(r"\d\d-[a-z0-9-]+", name)


# --- the outputs -------------------------------------------------------------------------------------------


@in_every_notebook
def test_nothing_on_stderr(name):
    for cell in code_cells(NOTEBOOKS[name]):
        noise = [o.text[:200] for o in cell.outputs if o.output_type == "stream" and o.name == "stderr"]
        assert not noise, f"{cell.id}: {noise}"


@in_every_notebook
def test_outputs_tell_nothing_of_the_machine(name):
    """No addresses, no paths, no bare reprs of objects: the comparison by nbval could not be strict."""
    told = re.compile(r"0x[0-9a-f]{6,}|/tmp/|/home/|/Users/|/root/|site-packages")
    for cell in code_cells(NOTEBOOKS[name]):
        if "nbval-ignore-output" in cell.metadata.get("tags", ()):
            continue
        for output in cell.outputs:
            assert not told.search(texts(output)), f"{cell.id}: {texts(output)[:200]}"


# --- the chapter -------------------------------------------------------------------------------------------


@in_every_notebook
def test_begins_with_its_title(name):
    first = NOTEBOOKS[name].cells[0]
    assert first.cell_type == "markdown" and re.match(r"# \S", first.source)


@in_every_notebook
def test_code_cells_are_short(name):
    """Imports do not count: nobody reads them line by line."""
    lines = {cell.id: _lines_to_read(cell.source) for cell in code_cells(NOTEBOOKS[name])}
    assert not {id: count for id, count in lines.items() if count > 30}


def _lines_to_read(source):
    return len(re.sub(r"^from fmkit[\w.]* import (\([^)]*\)|.*)\n", "", source, flags=re.M).splitlines())


# --- the exercises -----------------------------------------------------------------------------------------


def nbgrader_of(cell):
    return cell.metadata.get("nbgrader", {})


def graded(nb):
    """nbgrader id -> (position, cell)."""
    found = [(nbgrader_of(cell)["grade_id"], i, cell) for i, cell in enumerate(nb.cells) if nbgrader_of(cell)]
    assert len({id for id, _, _ in found}) == len(found), "an nbgrader id twice"
    return {id: (i, cell) for id, i, cell in found}


def chapter_of(exercise):
    names = [name for name in NOTEBOOKS if name.startswith(exercise.chapter + "-")]
    assert len(names) == 1, f"chapter {exercise.chapter} has notebooks {names}"
    return NOTEBOOKS[names[0]]


@for_every_exercise
def test_an_exercise_is_in_its_chapter_once(exercise):
    id = grade_id(exercise.id)
    everywhere = [
        cell for nb in NOTEBOOKS.values() for cell in nb.cells if nbgrader_of(cell).get("grade_id") == id
    ]
    assert len(everywhere) == 1
    cells = graded(chapter_of(exercise))
    assert cells[id][0] < cells[f"{id}-check"][0]


@for_every_exercise
def test_answer_cell(exercise):
    _, cell = graded(chapter_of(exercise))[grade_id(exercise.id)]
    wanted = {"grade": False, "solution": True, "locked": False, "task": False, "schema_version": 3}
    assert {**wanted, "grade_id": grade_id(exercise.id)} == {**nbgrader_of(cell)}
    assert cell.source.count("### BEGIN SOLUTION") == 1 and cell.source.count("### END SOLUTION") == 1


@for_every_exercise
def test_check_cell(exercise):
    cells = graded(chapter_of(exercise))
    _, cell = cells[f"{grade_id(exercise.id)}-check"]
    wanted = {"grade": True, "solution": False, "locked": True, "task": False, "schema_version": 3}
    wanted |= {"points": exercise.points, "grade_id": f"{grade_id(exercise.id)}-check"}
    assert wanted == {**nbgrader_of(cell)}
    found = re.fullmatch(rf'check\("{re.escape(exercise.id)}", (\w+)\)', cell.source.strip())
    assert found, cell.source
    answer = tree(cells[grade_id(exercise.id)][1])
    functions = {node.name: node for node in answer.body if isinstance(node, ast.FunctionDef)}
    assert found[1] in functions, f"the answer cell defines {list(functions)}"
    names = [argument.arg for argument in functions[found[1]].args.args]
    assert names == list(inspect.signature(exercise.reference).parameters)
    assert any("correct" in texts(output) for output in cell.outputs), (
        "the solution of the notebook is not right"
    )


@for_every_exercise
def test_prompt_cell(exercise):
    nb = chapter_of(exercise)
    position, _ = graded(nb)[grade_id(exercise.id)]
    prompts = [c.source for c in nb.cells[:position] if re.match(r"### Exercise \d", c.source)]
    assert prompts, "no prompt before the answer"
    points = f"{exercise.points} point{'s' if exercise.points != 1 else ''}"
    dots = "●" * exercise.difficulty + "○" * (5 - exercise.difficulty)
    head = prompts[-1].splitlines()[0]
    assert re.match(rf"### Exercise {int(exercise.chapter)}\.\d+ · ", head), head
    assert head.endswith(f"(difficulty {dots}, {exercise.minutes} minutes, {points})"), head


@in_every_notebook
def test_no_cell_is_graded_without_an_exercise(name):
    known = {grade_id(exercise.id) for exercise in exercises.every()}
    for id, (_, cell) in graded(NOTEBOOKS[name]).items():
        if nbgrader_of(cell).get("solution") or nbgrader_of(cell).get("grade"):
            assert id.removesuffix("-check") in known


@in_every_notebook
def test_run_all_ends_in_a_students_copy(name):
    """What is not done yet stops nothing: a cell that needs an answer says so by its tag."""
    answers, untagged = set(), []
    for cell in code_cells(NOTEBOOKS[name]):
        made, used = _names(cell)
        if nbgrader_of(cell).get("solution"):
            answers |= made
            continue
        needs = bool(used & answers)
        is_tagged = USES_ANSWER in cell.metadata.get("tags", ())
        if not nbgrader_of(cell).get("grade") and needs != is_tagged:
            untagged.append(f"{cell.id}: {'uses' if needs else 'does not use'} an answer")
        answers = answers | made if needs else answers - made
    assert not untagged


def _names(cell):
    """The global names that a cell makes, and those that it only uses, inside its functions too."""
    whole = symtable.symtable(re.sub(r"^(\s*)[%!?].*$", r"\1pass", cell.source, flags=re.M), cell.id, "exec")
    made = {s.get_name() for s in whole.get_symbols() if s.is_assigned() or s.is_imported()}
    tables, used = [whole], set()
    while tables:
        table = tables.pop()
        tables += table.get_children()
        used |= {s.get_name() for s in table.get_symbols() if s.is_global() or table is whole}
    return made, used - made


@in_every_notebook
def test_the_student_version_holds_no_solution(name):
    nb = student_version(NOTEBOOKS[name])
    text = nbformat.writes(nb)
    assert "SOLUTION" not in text and not any(cell.get("outputs") for cell in nb.cells)
    for cell in nb.cells:
        if cell.cell_type == "code":
            tree(cell)
    solutions = re.findall(r"### BEGIN SOLUTION\n(.*?)### END SOLUTION", whole_source(name), re.S)
    for solution in solutions:
        longest = max((line.split("  #")[0].strip() for line in solution.splitlines()), key=len)
        assert longest not in whole_source(name, nb), f"a line of a solution is still there: {longest}"


def whole_source(name, nb=None):
    return "\n".join(cell.source for cell in (nb or NOTEBOOKS[name]).cells)
