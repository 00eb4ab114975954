"""What only Python can do well: read Python. Finds what deserves a second look in a source, with the module ast.

A worker of main.mjs, which starts it with spawnPython; nothing but the standard library and zwire_rpc's two packages."""

import ast
import importlib.util
import os
import pathlib
import sys

import zwire_rpc

server = zwire_rpc.Server("checker")
BRANCHES = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler, ast.IfExp, ast.comprehension, ast.Assert)
COMPLEX = 10


def finding(line, rule, text):
    return {"line": line, "rule": rule, "text": text}


def paths_through(function):
    """One more than the number of decisions: McCabe's measure."""
    count = 1
    for node in ast.walk(function):
        if isinstance(node, BRANCHES):
            count += 1
        elif isinstance(node, ast.BoolOp):
            count += len(node.values) - 1
    return count


def unused_imports(tree):
    imported = {}
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)) and getattr(node, "module", "") != "__future__":
            for alias in node.names:
                imported[(alias.asname or alias.name).split(".")[0]] = node.lineno
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    for node in ast.walk(tree):  # names in __all__ and in annotations written as text
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            used.add(node.value)
    return [finding(line, "unused-import", f"{name} is imported and not used")
            for name, line in imported.items() if name not in used and name != "*"]


def look_at(tree):
    findings, functions = unused_imports(tree), 0
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            functions += 1
            paths = paths_through(node)
            if paths > COMPLEX:
                findings.append(finding(node.lineno, "complex", f"{node.name} has {paths} paths through it"))
            for default in [*node.args.defaults, *node.args.kw_defaults]:
                if isinstance(default, (ast.List, ast.Dict, ast.Set)):
                    findings.append(finding(default.lineno, "shared-default", f"{node.name}: all calls share this default"))
        elif isinstance(node, ast.ExceptHandler) and node.type is None:
            findings.append(finding(node.lineno, "bare-except", "catches KeyboardInterrupt, too"))
        elif isinstance(node, ast.Compare) and any(isinstance(op, (ast.Is, ast.IsNot)) for op in node.ops):
            if any(isinstance(one, ast.Constant) and isinstance(one.value, (str, int)) and not isinstance(one.value, bool)
                   for one in [node.left, *node.comparators]):
                findings.append(finding(node.lineno, "is-literal", "compares with a literal by identity"))
    return sorted(findings, key=lambda one: one["line"]), functions


def check_source(source):
    try:
        findings, functions = look_at(ast.parse(source))
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None) or 0
        findings, functions = [finding(line, "syntax", getattr(error, "msg", None) or str(error))], 0
    return {"lines": source.count("\n") + 1, "functions": functions, "findings": findings}


@server.expose
def check(source):
    """What deserves a second look in a Python source: {lines, functions, findings: [{line, rule, text}], pid}."""
    return {**check_source(source), "pid": os.getpid()}


@server.expose
def survey(package):
    """Checks every file of an installed package: one report per file as it is done, and the sum at the end."""
    if package not in sys.stdlib_module_names:
        raise LookupError(f"{package} is no package of the standard library")
    spec = importlib.util.find_spec(package)
    folders = spec.submodule_search_locations if spec else None
    files = sorted(pathlib.Path(folders[0]).rglob("*.py")) if folders else [pathlib.Path(spec.origin)]
    lines = functions = 0
    rules = {}
    for done, file in enumerate(files, 1):
        report = check_source(file.read_text("utf-8", "replace"))
        lines += report["lines"]
        functions += report["functions"]
        for one in report["findings"]:
            rules[one["rule"]] = rules.get(one["rule"], 0) + 1
        yield {"done": done, "total": len(files), "file": file.name, "findings": len(report["findings"])}
    yield {"package": package, "files": len(files), "lines": lines, "functions": functions, "rules": rules}


server.run()
