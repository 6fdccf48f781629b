"""An app that sends email in its own transaction."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from fastapi import FastAPI, HTTPException, Request
from pydantic import BaseModel, EmailStr

import gatepost


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, Any]]:
    """Open the app's own connections."""
    async with asyncpg.create_pool(os.environ["GATEPOST_DATABASE_URL"]) as pool:
        await pool.execute("create table if not exists acme_invoices (number text primary key, client text not null)")
        yield {"pool": pool}


app = FastAPI(lifespan=lifespan)
app.include_router(gatepost.create_router(), prefix="/account")


class Invoice(BaseModel):
    """A new invoice, and the email address of its client."""

    number: str
    client: str
    to: EmailStr


@app.post("/invoices", status_code=201)
async def create_invoice(invoice: Invoice, request: Request) -> dict[str, Any]:
    """Store an invoice and queue its email: both, or neither."""
    async with request.state.pool.acquire() as connection:
        try:
            async with connection.transaction():
                email_id = await gatepost.send_email(
                    connection,
                    template="new-invoice",
                    to=invoice.to,
                    variables={
                        "client_name": invoice.client,
                        "invoice_number": invoice.number,
                        "amount_due": "480.00",
                        "currency": "EUR",
                        "due_date": "2026-12-31",
                        "pay_url": f"https://acme.com/pay/{invoice.number}",
                    },
                )
                await connection.execute(
                    "insert into acme_invoices (number, client) values ($1, $2)", invoice.number, invoice.client
                )
        except asyncpg.UniqueViolationError:
            raise HTTPException(409, f"There is an invoice {invoice.number} already.") from None
    return {"number": invoice.number, "email_id": email_id}
