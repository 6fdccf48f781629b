from .service import Mailbox as Mailbox
