"""A model server of KServe with one model: the score is half the age in tenths; without an age the request is refused."""

import sys

from kserve import InferRequest, Model, ModelServer
from kserve.errors import InvalidInput
from kserve.utils.utils import get_predict_response


class Churn(Model):
    def __init__(self):
        super().__init__("churn")
        self.ready = True

    def predict(self, payload, headers=None, response_headers=None):
        if isinstance(payload, InferRequest):
            ages = payload.inputs[0].as_numpy().flatten()
            return get_predict_response(payload, ages / 200.0, self.name)
        rows = payload["instances"]
        if any("age" not in row for row in rows):
            raise InvalidInput("age is missing")
        return {"predictions": [row["age"] / 200.0 for row in rows]}


ModelServer(http_port=int(sys.argv[1]), enable_grpc=False, workers=1).start([Churn()])
