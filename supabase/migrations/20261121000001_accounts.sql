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
-- A new key is published before it signs, so that every verifier knows it by then; an old one verifies until the tokens
-- that it signed have expired.
create table gatepost.signing_keys (
  kid text primary key,
  public_jwk jsonb not null,
  private_key_encrypted bytea not null,
  created_at timestamptz not null default clock_timestamp(),
  signs_at timestamptz not null default clock_timestamp(),
  -- from then on its tokens are rejected
  retired_at timestamptz
);


-- Tells every process that the signing keys have changed.
create function gatepost.signing_keys_changed() returns trigger
language plpgsql volatile set search_path = ''
as $$
begin
  notify gatepost_signing_keys;
  return null;
end;
$$;

create trigger signing_keys_changed after insert or update or delete on gatepost.signing_keys
  for each statement execute function gatepost.signing_keys_changed();


-- Adds a signing key, which signs after p_lead, and retires all others p_overlap after that. A key that would sign later
-- than the new one never does.
create function gatepost.rotate_signing_key(
  p_kid text,
  p_public_jwk jsonb,
  p_private_key_encrypted bytea,
  p_lead interval,
  p_overlap interval
) returns void
language sql volatile set search_path = ''
as $$
  update gatepost.signing_keys k
  set retired_at = least(k.retired_at, clock_timestamp() + p_lead + p_overlap)
  where k.retired_at is null or k.retired_at > clock_timestamp();

  insert into gatepost.signing_keys (kid, public_jwk, private_key_encrypted, signs_at)
  values (p_kid, p_public_jwk, p_private_key_encrypted, clock_timestamp() + p_lead);
$$;

revoke execute on all functions in schema gatepost from public;

alter table gatepost.users enable row level security;
alter table gatepost.signing_keys enable row level security;
