"""Alarms on single metrics as CloudWatch documents them: own dimensions, whole periods, M of N, missing data, and a clock of their own."""
from ministack.services import cloudwatch

from pinned import replace

_COMPARE = {
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
}


class Alarms:
    def __init__(self, clock):
        self.clock = clock
        #: While tests jump through time no alarm is looked at: minutes that never were would look like silence.
        self.watching = True

    def install(self) -> None:
        replace(cloudwatch, "_evaluate_alarm", "a0b0acd3d432", self.evaluate)

    def evaluate(self, alarm) -> None:
        if not self.watching or not alarm.get("MetricName"):
            return
        values = self._newest(alarm)
        missing = alarm.get("TreatMissingData") or "missing"
        breaches = _COMPARE.get(alarm["ComparisonOperator"])
        if breaches is None:
            raise NotImplementedError(f"{alarm['AlarmName']}: {alarm['ComparisonOperator']} is not emulated")
        threshold = float(alarm["Threshold"])
        assumed = {"breaching": True, "notBreaching": False}.get(missing)
        seen = [assumed if value is None else breaches(value, threshold) for value in values]
        known = [one for one in seen if one is not None]
        needed = int(alarm.get("DatapointsToAlarm") or len(values))
        if not known:
            state = alarm["StateValue"] if missing == "ignore" else "INSUFFICIENT_DATA"
        elif sum(known) >= min(needed, len(known)):
            state = "ALARM"
        else:
            state = "OK"
        self._become(alarm, state, f"{values} compared with {threshold} ({alarm['ComparisonOperator']}), missing data: {missing}")

    def _newest(self, alarm) -> list:
        """The statistic of each of the last N periods, newest first; None where there were no data."""
        period, count = int(alarm.get("Period", 60)), int(alarm.get("EvaluationPeriods", 1))
        given = alarm.get("Dimensions") or {}
        wanted = {one["Name"]: one["Value"] for one in given} if isinstance(given, list) else dict(given)
        points = [
            point
            for (namespace, name, _), kept in list(cloudwatch._metrics.items())
            if namespace == alarm["Namespace"] and name == alarm["MetricName"]
            for point in list(kept)
            if dict(point.get("Dimensions") or {}) == wanted
        ]
        statistic = alarm.get("ExtendedStatistic") or alarm.get("Statistic", "Average")

        def value(start: float):
            inside = [point for point in points if start <= point["Timestamp"] < start + period]
            return cloudwatch._stat_value(cloudwatch._calc_stats(inside), statistic, inside) if inside else None

        current = self.clock.time() // period * period
        # The period that is still filling counts as soon as it has data: the verdict at its end comes earlier, and is the same.
        newest = current if value(current) is not None else current - period
        return [value(newest - i * period) for i in range(count)]

    def _become(self, alarm, state: str, reason: str) -> None:
        before = alarm["StateValue"]
        if state == before:
            return
        alarm.update(StateValue=state, StateReason=reason, StateUpdatedTimestamp=int(self.clock.time()))
        cloudwatch._record_history(alarm["AlarmName"], before, state, reason)
        cloudwatch._dispatch_alarm_actions(alarm, before, state, reason)
        cloudwatch._evaluate_parent_alarms(alarm)
