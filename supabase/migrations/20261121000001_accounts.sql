-- Accounts: the users, and the keys that sign their access tokens.

create schema if not exists gatepost;

create table gatepost.users (
  id uuid primary key default gen_random_uuid(),
  email text not null,
  password_hash text not null,
  role text not null default 'user' check (role in ('user', 'admin')),
  user_metadata jsonb not null default '{}' check (jsonb_typeof(user_metadata) = 'object'),
  -- the display name, for searching
  name text generated always as (user_metadata ->> 'name') stored,
  disabled_at timestamptz,
  created_at timestamptz not null default now(),
  password_changed_at timestamptz not null default now(),
  email_verified_at timestamptz,
  -- the session that the registration opened: only there can the email address be confirmed without a new password
  registration_session_id uuid,
  -- the browser's language at the last sign-in
  locale text
);

create unique index users_email_key on gatepost.users (lower(email));
-- For prefix searches, in code point order whatever the collation of the database.
create index users_email_prefix_idx on gatepost.users ((lower(email) collate "C"), id);
create index users_name_prefix_idx on gatepost.users ((lower(name) collate "C"), id);

-- The private part is encrypted under GATEPOST_SECRET_KEY: read access to the database is not enough to sign tokens.
create table gatepost.signing_keys (
  kid text primary key,
  public_jwk jsonb not null,
  private_key_encrypted bytea not null,
  created_at timestamptz not null default clock_timestamp(),
  retired_at timestamptz
);

alter table gatepost.users enable row level security;
alter table gatepost.signing_keys enable row level security;
