"""Runs the real AWS command line many times in one process: stdin has one JSON object a line, with arguments and
environment, and stdout gets one with what came of it."""

import io
import json
import os
import sys

from awscli.clidriver import create_clidriver


def text_stream():
    return io.TextIOWrapper(io.BytesIO(), encoding='utf-8', errors='surrogateescape', write_through=True)


def run(args, loader):
    out, err = text_stream(), text_stream()
    saved = sys.argv, sys.stdout, sys.stderr
    # argparse names the program by argv[0].
    sys.argv, sys.stdout, sys.stderr = ['aws'], out, err
    try:
        driver = create_clidriver()
        # Reading the model of EC2 takes most of the time.
        driver.session.register_component('data_loader', loader)
        code = driver.main(args)
    except SystemExit as end:
        code = end.code
    finally:
        sys.argv, sys.stdout, sys.stderr = saved
    return {'code': code, 'stdout': out.buffer.getvalue().decode(), 'stderr': err.buffer.getvalue().decode()}


loader = create_clidriver().session.get_component('data_loader')
own = dict(os.environ)
for line in sys.stdin:
    case = json.loads(line)
    os.environ.clear()
    os.environ.update({**own, **case['environment']})
    print(json.dumps(run(case['args'], loader)), flush=True)
