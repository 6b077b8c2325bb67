"""Lines of logs in the embedded metric format become metrics, as CloudWatch Logs makes them."""
import json

from ministack.services import cloudwatch, lambda_svc

from pinned import replace


def install() -> None:
    write_logs = lambda_svc._emit_lambda_logs

    def with_metrics(function, request_id, text, *more, **named):
        for line in (text or "").splitlines():
            _store(line)
        return write_logs(function, request_id, text, *more, **named)

    replace(lambda_svc, "_emit_lambda_logs", "111efbf06968", with_metrics)


def _store(line: str) -> None:
    if '"_aws"' not in line:
        return
    try:
        document = json.loads(line)
    except ValueError:
        return
    about = document["_aws"]
    for directive in about["CloudWatchMetrics"]:
        for dimensions in directive.get("Dimensions") or [[]]:
            for metric in directive["Metrics"]:
                values = document.get(metric["Name"])
                for value in values if isinstance(values, list) else [values]:
                    if value is None:
                        continue
                    named = {name: str(document[name]) for name in dimensions}
                    cloudwatch._store_datum(
                        directive["Namespace"], metric["Name"], named, about["Timestamp"] / 1000,
                        metric.get("Unit", "None"), float(value), None, None, None,
                    )
