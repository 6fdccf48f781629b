"""The Gatepost service: the API and the web pages."""

import gatepost

app = gatepost.create_app(gatepost.Settings(product_name="Acme", max_sessions=3))
