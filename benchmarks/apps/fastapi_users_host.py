"""An app with fastapi-users and its tokens in the database, written as in its documentation."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated
from uuid import UUID

from fastapi import Depends, FastAPI
from fastapi_users import BaseUserManager, FastAPIUsers, UUIDIDMixin, schemas
from fastapi_users.authentication import AuthenticationBackend, BearerTransport
from fastapi_users.authentication.strategy.db import DatabaseStrategy
from fastapi_users.db import SQLAlchemyBaseUserTableUUID, SQLAlchemyUserDatabase
from fastapi_users_db_sqlalchemy.access_token import SQLAlchemyAccessTokenDatabase, SQLAlchemyBaseAccessTokenTableUUID
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase

_url = os.environ["GATEPOST_DATABASE_URL"].replace("postgresql:", "postgresql+asyncpg:", 1)
_engine = create_async_engine(_url, pool_size=10, max_overflow=0)
_sessions = async_sessionmaker(_engine, expire_on_commit=False)


class Base(DeclarativeBase):
    pass


class User(SQLAlchemyBaseUserTableUUID, Base):
    pass


class AccessToken(SQLAlchemyBaseAccessTokenTableUUID, Base):
    pass


class UserManager(UUIDIDMixin, BaseUserManager[User, UUID]):
    pass


async def _session() -> AsyncIterator[AsyncSession]:
    async with _sessions() as session:
        yield session


Session = Annotated[AsyncSession, Depends(_session)]


async def _manager(session: Session) -> AsyncIterator[UserManager]:
    yield UserManager(SQLAlchemyUserDatabase(session, User))


async def _strategy(session: Session) -> DatabaseStrategy:
    return DatabaseStrategy(SQLAlchemyAccessTokenDatabase(session, AccessToken), lifetime_seconds=3600)


@asynccontextmanager
async def _lifespan(_: FastAPI) -> AsyncIterator[None]:
    async with _engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield
    await _engine.dispose()


_backend = AuthenticationBackend(name="database", transport=BearerTransport("login"), get_strategy=_strategy)
_users = FastAPIUsers[User, UUID](_manager, [_backend])

app = FastAPI(lifespan=_lifespan)
app.include_router(_users.get_auth_router(_backend))
app.include_router(_users.get_register_router(schemas.BaseUser[UUID], schemas.BaseUserCreate))


@app.get("/open")
async def read_open() -> dict[str, bool]:
    return {"ok": True}


@app.get("/guarded")
async def read_guarded(user: Annotated[User, Depends(_users.current_user(active=True))]) -> dict[str, bool]:
    return {"ok": True}
