from .content import NotificationContent as NotificationContent
from .service import NotificationService as NotificationService
