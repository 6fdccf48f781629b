CREATE SCHEMA gatepost;

CREATE FUNCTION gatepost.end_lapsed_session(p_session_id uuid, p_idle_timeout interval) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  update gatepost.sessions s
  set ended_at = least(s.expires_at, s.last_active_at + p_idle_timeout),
      end_reason = gatepost.session_end_reason(s, p_idle_timeout)
  where s.id = p_session_id
    and s.ended_at is null
    and gatepost.session_end_reason(s, p_idle_timeout) is not null;
$$;

CREATE FUNCTION gatepost.end_lapsed_sessions(p_user_id uuid, p_idle_timeout interval) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select gatepost.end_lapsed_session(s.id, p_idle_timeout)
  from gatepost.sessions s
  where s.user_id = p_user_id and s.ended_at is null;
$$;

CREATE FUNCTION gatepost.lock_sessions(p_user_id uuid) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select pg_advisory_xact_lock(hashtextextended('gatepost.sessions:' || p_user_id, 0));
$$;

CREATE TABLE gatepost.sessions (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    user_id uuid NOT NULL,
    name text,
    device_kind text NOT NULL,
    browser text,
    os text,
    ip inet,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    authenticated_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    last_active_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    last_active_on date DEFAULT ((clock_timestamp() AT TIME ZONE 'UTC'::text))::date NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    ended_by uuid,
    end_reason text,
    CONSTRAINT sessions_check CHECK (((ended_at IS NULL) = (end_reason IS NULL))),
    CONSTRAINT sessions_device_kind_check CHECK ((device_kind = ANY (ARRAY['desktop'::text, 'mobile'::text, 'tablet'::text, 'bot'::text, 'unknown'::text]))),
    CONSTRAINT sessions_end_reason_check CHECK ((end_reason = ANY (ARRAY['signed_out'::text, 'signed_out_elsewhere'::text, 'signed_out_by_admin'::text, 'evicted'::text, 'password_changed'::text, 'refresh_token_reused'::text, 'not_me'::text, 'idle'::text, 'expired'::text]))),
    CONSTRAINT sessions_name_check CHECK (((char_length(name) >= 1) AND (char_length(name) <= 100)))
)
WITH (fillfactor='80');

CREATE FUNCTION gatepost.open_session(p_session_id uuid, p_user_id uuid, p_token_hash bytea, p_name text, p_device_kind text, p_browser text, p_os text, p_ip inet, p_lifetime interval, p_idle_timeout interval, p_max_sessions integer, p_replaced_id uuid DEFAULT NULL::uuid) RETURNS SETOF gatepost.sessions
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  perform gatepost.lock_sessions(p_user_id);
  perform gatepost.end_lapsed_sessions(p_user_id, p_idle_timeout);

  update gatepost.sessions s
  set ended_at = clock_timestamp(), end_reason = 'signed_out', ended_by = s.user_id
  where s.id = p_replaced_id and s.ended_at is null;

  return query
    insert into gatepost.sessions (id, user_id, name, device_kind, browser, os, ip, expires_at)
    values (p_session_id, p_user_id, p_name, p_device_kind, p_browser, p_os, p_ip, clock_timestamp() + p_lifetime)
    returning *;

  insert into gatepost.refresh_tokens (session_id, token_hash) values (p_session_id, p_token_hash);

  return query
    update gatepost.sessions s
    set ended_at = clock_timestamp(), end_reason = 'evicted'
    where s.ended_at is null
      and s.id in (
        select a.id
        from gatepost.sessions a
        where a.user_id = p_user_id and a.ended_at is null and a.id <> p_session_id
        order by a.last_active_at desc, a.created_at desc, a.id
        offset p_max_sessions - 1
      )
    returning s.*;
end;
$$;

CREATE FUNCTION gatepost.refresh_session(p_session_id uuid, p_token_hash bytea, p_successor_hash bytea, p_successor_sealed bytea, p_ip inet, p_grace interval, p_idle_timeout interval, OUT outcome text, OUT successor_sealed bytea, OUT session gatepost.sessions) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  token gatepost.refresh_tokens;
begin
  -- Everything that ends a session locks its row too, so a refresh sees the end or comes before it.
  select * into session from gatepost.sessions s where s.id = p_session_id for update;
  if not found then
    outcome := 'unknown';
    return;
  end if;

  if gatepost.session_end_reason(session, p_idle_timeout) is not null then
    perform gatepost.end_lapsed_session(p_session_id, p_idle_timeout);
    select * into session from gatepost.sessions s where s.id = p_session_id;
    outcome := 'ended';
    return;
  end if;

  select * into token from gatepost.refresh_tokens t where t.session_id = p_session_id;

  if token.token_hash = p_token_hash then
    outcome := 'rotated';
    update gatepost.refresh_tokens t
    set token_hash = p_successor_hash,
        previous_hash = p_token_hash,
        successor_sealed = p_successor_sealed,
        rotated_at = clock_timestamp()
    where t.session_id = p_session_id;
  elsif token.previous_hash = p_token_hash and token.rotated_at > clock_timestamp() - p_grace then
    outcome := 'replayed';
    successor_sealed := token.successor_sealed;
  else
    outcome := 'reused';
    update gatepost.sessions s
    set ended_at = clock_timestamp(), end_reason = 'refresh_token_reused'
    where s.id = p_session_id
    returning * into session;
    return;
  end if;

  update gatepost.sessions s
  set last_active_at = clock_timestamp(),
      last_active_on = (clock_timestamp() at time zone 'UTC')::date,
      ip = coalesce(p_ip, s.ip)
  where s.id = p_session_id
  returning * into session;
end;
$$;

CREATE FUNCTION gatepost.revoke_other_sessions(p_user_id uuid, p_kept_id uuid, p_ended_by uuid, p_reason text, p_idle_timeout interval) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  revoked integer;
begin
  perform gatepost.lock_sessions(p_user_id);
  perform gatepost.end_lapsed_sessions(p_user_id, p_idle_timeout);

  update gatepost.sessions s
  set ended_at = clock_timestamp(), end_reason = p_reason, ended_by = p_ended_by
  where s.user_id = p_user_id and s.ended_at is null and s.id <> p_kept_id;

  get diagnostics revoked = row_count;
  return revoked;
end;
$$;

CREATE FUNCTION gatepost.revoke_session(p_user_id uuid, p_session_id uuid, p_ended_by uuid, p_reason text, p_idle_timeout interval) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  perform from gatepost.sessions s where s.id = p_session_id and s.user_id = p_user_id for update;
  if not found then
    raise exception 'no such session' using errcode = 'GP404';
  end if;
  perform gatepost.end_lapsed_session(p_session_id, p_idle_timeout);

  update gatepost.sessions s
  set ended_at = clock_timestamp(), end_reason = p_reason, ended_by = p_ended_by
  where s.id = p_session_id and s.ended_at is null;
end;
$$;

CREATE FUNCTION gatepost.session_end_reason(session gatepost.sessions, idle_timeout interval) RETURNS text
    LANGUAGE sql STABLE
    RETURN CASE WHEN ((session).end_reason IS NOT NULL) THEN (session).end_reason WHEN ((session).expires_at <= now()) THEN 'expired'::text WHEN (((session).last_active_at + idle_timeout) <= now()) THEN 'idle'::text ELSE NULL::text END;

CREATE FUNCTION gatepost.touch_session(p_session_id uuid, p_ip inet, p_interval interval) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  update gatepost.sessions s
  set last_active_at = now(),
      last_active_on = (now() at time zone 'UTC')::date,
      ip = coalesce(p_ip, s.ip)
  where s.id = p_session_id
    and s.ended_at is null
    and s.last_active_at <= now() - p_interval;
$$;

CREATE TABLE gatepost.refresh_tokens (
    session_id uuid NOT NULL,
    token_hash bytea NOT NULL,
    previous_hash bytea,
    successor_sealed bytea,
    rotated_at timestamp with time zone,
    CONSTRAINT refresh_tokens_previous_hash_check CHECK ((octet_length(previous_hash) = 32)),
    CONSTRAINT refresh_tokens_token_hash_check CHECK ((octet_length(token_hash) = 32))
)
WITH (fillfactor='80');

CREATE TABLE gatepost.schema_migrations (
    version text NOT NULL,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE gatepost.signing_keys (
    kid text NOT NULL,
    public_jwk jsonb NOT NULL,
    private_sealed bytea NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    retired_at timestamp with time zone
);

CREATE TABLE gatepost.users (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    email text NOT NULL,
    password_hash text NOT NULL,
    role text DEFAULT 'user'::text NOT NULL,
    user_metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    password_changed_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT users_role_check CHECK ((role = ANY (ARRAY['user'::text, 'admin'::text]))),
    CONSTRAINT users_user_metadata_check CHECK ((jsonb_typeof(user_metadata) = 'object'::text))
);

ALTER TABLE ONLY gatepost.refresh_tokens
    ADD CONSTRAINT refresh_tokens_pkey PRIMARY KEY (session_id);

ALTER TABLE ONLY gatepost.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (version);

ALTER TABLE ONLY gatepost.sessions
    ADD CONSTRAINT sessions_pkey PRIMARY KEY (id);

ALTER TABLE ONLY gatepost.signing_keys
    ADD CONSTRAINT signing_keys_pkey PRIMARY KEY (kid);

ALTER TABLE ONLY gatepost.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);

CREATE INDEX refresh_tokens_sealed_idx ON gatepost.refresh_tokens USING btree (rotated_at) WHERE (successor_sealed IS NOT NULL);

CREATE INDEX sessions_active_idx ON gatepost.sessions USING btree (user_id) WHERE (ended_at IS NULL);

CREATE INDEX sessions_ended_idx ON gatepost.sessions USING btree (user_id, ended_at) WHERE (ended_at IS NOT NULL);

CREATE INDEX sessions_last_active_on_idx ON gatepost.sessions USING btree (last_active_on);

CREATE UNIQUE INDEX users_email_key ON gatepost.users USING btree (lower(email));

ALTER TABLE ONLY gatepost.refresh_tokens
    ADD CONSTRAINT refresh_tokens_session_id_fkey FOREIGN KEY (session_id) REFERENCES gatepost.sessions(id) ON DELETE CASCADE;

ALTER TABLE gatepost.refresh_tokens ENABLE ROW LEVEL SECURITY;

ALTER TABLE gatepost.schema_migrations ENABLE ROW LEVEL SECURITY;

ALTER TABLE gatepost.sessions ENABLE ROW LEVEL SECURITY;

ALTER TABLE gatepost.signing_keys ENABLE ROW LEVEL SECURITY;

ALTER TABLE gatepost.users ENABLE ROW LEVEL SECURITY;

REVOKE ALL ON FUNCTION gatepost.end_lapsed_session(p_session_id uuid, p_idle_timeout interval) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.end_lapsed_sessions(p_user_id uuid, p_idle_timeout interval) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.lock_sessions(p_user_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.open_session(p_session_id uuid, p_user_id uuid, p_token_hash bytea, p_name text, p_device_kind text, p_browser text, p_os text, p_ip inet, p_lifetime interval, p_idle_timeout interval, p_max_sessions integer, p_replaced_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.refresh_session(p_session_id uuid, p_token_hash bytea, p_successor_hash bytea, p_successor_sealed bytea, p_ip inet, p_grace interval, p_idle_timeout interval, OUT outcome text, OUT successor_sealed bytea, OUT session gatepost.sessions) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.revoke_other_sessions(p_user_id uuid, p_kept_id uuid, p_ended_by uuid, p_reason text, p_idle_timeout interval) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.revoke_session(p_user_id uuid, p_session_id uuid, p_ended_by uuid, p_reason text, p_idle_timeout interval) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.session_end_reason(session gatepost.sessions, idle_timeout interval) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.touch_session(p_session_id uuid, p_ip inet, p_interval interval) FROM PUBLIC;
