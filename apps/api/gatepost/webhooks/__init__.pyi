from .store import set_url as set_url
from .worker import WebhookWorker as WebhookWorker
