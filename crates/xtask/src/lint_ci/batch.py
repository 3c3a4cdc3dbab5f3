"""Checks the files of deploy/aws-batch with the model of AWS Batch that botocore has."""

import json
import pathlib
import sys

from botocore.session import get_session
from botocore.validate import ParamValidator

FILES = {
    "job-definition": "RegisterJobDefinition",
    "submit-load": "SubmitJob",
    "submit-merge": "SubmitJob",
}

folder = pathlib.Path(sys.argv[1])
model = get_session().get_service_model("batch")
problems = []
for name, operation in FILES.items():
    values = json.loads((folder / f"{name}.json").read_text())
    shape = model.operation_model(operation).input_shape
    report = ParamValidator().validate(values, shape).generate_report()
    problems += [f"{name}.json: {line}" for line in report.splitlines()]
sys.exit("\n".join(problems) or 0)
