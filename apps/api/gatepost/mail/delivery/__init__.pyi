from .payloads import PayloadBuilder as PayloadBuilder
from .worker import EmailWorker as EmailWorker
