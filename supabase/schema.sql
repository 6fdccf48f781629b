CREATE SCHEMA gatepost;

CREATE FUNCTION gatepost.act_as(p_actor text, p_reason text, p_ip inet) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  perform set_config('gatepost.actor', p_actor, true);
  perform set_config('gatepost.reason', coalesce(p_reason, ''), true);
  perform set_config('gatepost.ip', coalesce(host(p_ip), ''), true);
end;
$$;

CREATE FUNCTION gatepost.delete_template(p_key text, p_actor text, p_ip inet) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  is_builtin boolean;
begin
  update gatepost.email_templates t
  set deleted_at = case when not t.builtin then now() end
  where t.key = p_key and t.deleted_at is null
  returning t.builtin into is_builtin;
  if not found then
    raise exception 'no such template' using errcode = 'GP404';
  end if;

  update gatepost.email_template_locales l
  set draft = null, diagnostics = '[]', draft_tag = null, published_version = null,
      updated_at = clock_timestamp(), updated_by = p_actor
  where l.key = p_key;

  perform gatepost.note_audit(
    p_actor, case when is_builtin then 'template.reset' else 'template.deleted' end, 'template:' || p_key, null, p_ip
  );
end;
$$;

CREATE FUNCTION gatepost.delete_user(p_user_id uuid, p_actor text, p_reason text, p_ip inet, p_idle_timeout interval) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  revoked integer;
begin
  delete from gatepost.users u where u.id = p_user_id;
  if not found then
    raise exception 'no such person' using errcode = 'GP404';
  end if;
  revoked := gatepost.revoke_user_sessions(p_user_id, p_actor, p_reason, p_ip, p_idle_timeout);
  perform gatepost.note_audit(p_actor, 'person.deleted', 'person:' || p_user_id, p_reason, p_ip);
  return revoked;
end;
$$;

CREATE FUNCTION gatepost.disable_user(p_user_id uuid, p_actor text, p_reason text, p_ip inet, p_idle_timeout interval) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  revoked integer;
begin
  update gatepost.users u set disabled_at = coalesce(u.disabled_at, now()) where u.id = p_user_id;
  if not found then
    raise exception 'no such person' using errcode = 'GP404';
  end if;
  revoked := gatepost.revoke_user_sessions(p_user_id, p_actor, p_reason, p_ip, p_idle_timeout);
  perform gatepost.note_audit(p_actor, 'person.disabled', 'person:' || p_user_id, p_reason, p_ip);
  return revoked;
end;
$$;

CREATE FUNCTION gatepost.enable_user(p_user_id uuid, p_actor text, p_reason text, p_ip inet) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  update gatepost.users u set disabled_at = null where u.id = p_user_id;
  if not found then
    raise exception 'no such person' using errcode = 'GP404';
  end if;
  perform gatepost.note_audit(p_actor, 'person.enabled', 'person:' || p_user_id, p_reason, p_ip);
end;
$$;

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

CREATE FUNCTION gatepost.note_audit(p_actor text, p_action text, p_target text, p_reason text DEFAULT NULL::text, p_ip inet DEFAULT NULL::inet, p_detail jsonb DEFAULT '{}'::jsonb) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  insert into gatepost.audit_log (actor, action, target, reason, ip, detail)
  values (p_actor, p_action, p_target, p_reason, p_ip, p_detail);
$$;

CREATE FUNCTION gatepost.note_session_ended() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  insert into gatepost.audit_log (actor, action, target, reason, ip, detail) values (
    coalesce(nullif(current_setting('gatepost.actor', true), ''), 'person:' || new.ended_by, 'system'),
    'session.ended', 'session:' || new.id,
    nullif(current_setting('gatepost.reason', true), ''),
    nullif(current_setting('gatepost.ip', true), '')::inet,
    jsonb_build_object('person', new.user_id, 'end_reason', new.end_reason)
  );
  return null;
end;
$$;

CREATE FUNCTION gatepost.note_session_opened() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  insert into gatepost.audit_log (actor, action, target, ip, detail) values (
    'person:' || new.user_id, 'session.opened', 'session:' || new.id, new.ip,
    jsonb_build_object('person', new.user_id, 'kind', new.device_kind)
  );
  return null;
end;
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

CREATE FUNCTION gatepost.publish_template(p_key text, p_locale text, p_tag uuid, p_prepared jsonb, p_actor text, p_ip inet) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  words jsonb;
  number integer;
begin
  select l.draft into words from gatepost.email_template_locales l
  where l.key = p_key and l.locale = p_locale and l.draft_tag = p_tag
  for update;
  if not found then
    raise exception 'the draft was changed meanwhile' using errcode = 'GP409';
  end if;

  insert into gatepost.email_template_versions (key, locale, version, source, prepared, published_by)
  select p_key, p_locale, coalesce(max(v.version), 0) + 1, words, p_prepared, p_actor
  from gatepost.email_template_versions v
  where v.key = p_key and v.locale = p_locale
  returning version into number;

  update gatepost.email_template_locales l
  set draft = null, diagnostics = '[]', draft_tag = null, published_version = number,
      updated_at = clock_timestamp(), updated_by = p_actor
  where l.key = p_key and l.locale = p_locale;

  perform gatepost.note_audit(
    p_actor, 'template.published', 'template:' || p_key, null, p_ip,
    jsonb_build_object('locale', p_locale, 'version', number)
  );
  return number;
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

CREATE FUNCTION gatepost.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  dropped bigint;
begin
  if tg_op = 'DELETE' and tg_table_name <> 'audit_drops' then
    select max(d.position) into dropped from gatepost.audit_drops d;
    if tg_table_name = 'audit_log' then
      perform from gatepost.audit_seals s where s.audit_id = old.id and s.position <= dropped;
    else
      perform where old.position <= dropped;
    end if;
    if found then
      return old;
    end if;
  end if;
  raise exception 'the audit log is append-only' using errcode = 'GP403';
end;
$$;

CREATE FUNCTION gatepost.refuse_version_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  raise exception 'a published version never changes' using errcode = 'GP403';
end;
$$;

CREATE FUNCTION gatepost.revoke_any_session(p_session_id uuid, p_actor text, p_reason text, p_ip inet) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  perform gatepost.act_as(p_actor, p_reason, p_ip);
  perform from gatepost.sessions s where s.id = p_session_id for update;
  if not found then
    raise exception 'no such session' using errcode = 'GP404';
  end if;

  update gatepost.sessions s
  set ended_at = clock_timestamp(), end_reason = 'signed_out_by_admin'
  where s.id = p_session_id and s.ended_at is null;
  return found;
end;
$$;

CREATE FUNCTION gatepost.revoke_listed_sessions(p_session_ids uuid[], p_actor text, p_reason text, p_ip inet) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  revoked integer;
begin
  perform gatepost.act_as(p_actor, p_reason, p_ip);
  -- Waiting for the disk at each step would have everybody else's commits wait behind it; the caller's last one waits.
  perform set_config('synchronous_commit', 'off', true);

  -- Rows that somebody else holds at this moment are being ended or refreshed; the caller comes back for them.
  with held as (
    select s.id from gatepost.sessions s
    where s.id = any (p_session_ids) and s.ended_at is null
    order by s.id
    for update skip locked
  )
  update gatepost.sessions s
  set ended_at = clock_timestamp(), end_reason = 'signed_out_by_admin'
  from held
  where s.id = held.id;

  get diagnostics revoked = row_count;
  return revoked;
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

CREATE FUNCTION gatepost.revoke_user_sessions(p_user_id uuid, p_actor text, p_reason text, p_ip inet, p_idle_timeout interval) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  revoked integer;
begin
  perform gatepost.lock_sessions(p_user_id);
  perform gatepost.end_lapsed_sessions(p_user_id, p_idle_timeout);
  perform gatepost.act_as(p_actor, p_reason, p_ip);

  update gatepost.sessions s
  set ended_at = clock_timestamp(), end_reason = 'signed_out_by_admin'
  where s.user_id = p_user_id and s.ended_at is null;

  get diagnostics revoked = row_count;
  return revoked;
end;
$$;

CREATE FUNCTION gatepost.save_template_draft(p_key text, p_locale text, p_tag uuid, p_draft jsonb, p_diagnostics jsonb, p_action text, p_actor text, p_ip inet) RETURNS uuid
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  new_tag uuid := gen_random_uuid();
begin
  perform from gatepost.email_templates t where t.key = p_key and t.deleted_at is null for update;
  if not found then
    raise exception 'no such template' using errcode = 'GP404';
  end if;
  if p_tag is distinct from (
    select l.draft_tag from gatepost.email_template_locales l where l.key = p_key and l.locale = p_locale
  ) then
    raise exception 'the draft was changed meanwhile' using errcode = 'GP409';
  end if;

  insert into gatepost.email_template_locales as l (key, locale, draft, diagnostics, draft_tag, updated_by)
  values (p_key, p_locale, p_draft, p_diagnostics, new_tag, p_actor)
  on conflict (key, locale) do update
  set draft = excluded.draft, diagnostics = excluded.diagnostics, draft_tag = excluded.draft_tag,
      updated_at = clock_timestamp(), updated_by = excluded.updated_by;

  perform gatepost.note_audit(p_actor, p_action, 'template:' || p_key, null, p_ip, jsonb_build_object('locale', p_locale));
  return new_tag;
end;
$$;

CREATE FUNCTION gatepost.session_end_reason(session gatepost.sessions, idle_timeout interval) RETURNS text
    LANGUAGE sql STABLE
    RETURN CASE WHEN ((session).end_reason IS NOT NULL) THEN (session).end_reason WHEN ((session).expires_at <= now()) THEN 'expired'::text WHEN (((session).last_active_at + idle_timeout) <= now()) THEN 'idle'::text ELSE NULL::text END;

CREATE FUNCTION gatepost.stamp_audit() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  if new.id <> currval('gatepost.audit_log_id_seq') then
    raise exception 'the audit log is append-only' using errcode = 'GP403';
  end if;
  new.at := clock_timestamp();
  new.written_by := pg_current_xact_id();
  return new;
end;
$$;

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

CREATE TABLE gatepost.api_keys (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    name text NOT NULL,
    prefix text NOT NULL,
    secret_hash bytea NOT NULL,
    scopes text[] NOT NULL,
    created_by text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone,
    last_used_at timestamp with time zone,
    revoked_at timestamp with time zone,
    CONSTRAINT api_keys_name_check CHECK (((char_length(name) >= 1) AND (char_length(name) <= 100))),
    CONSTRAINT api_keys_secret_hash_check CHECK ((octet_length(secret_hash) = 32))
);

CREATE TABLE gatepost.audit_drops (
    "position" bigint NOT NULL,
    hash bytea NOT NULL,
    dropped_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT audit_drops_hash_check CHECK ((octet_length(hash) = 32)),
    CONSTRAINT audit_drops_position_check CHECK (("position" > 0))
);

CREATE TABLE gatepost.audit_log (
    id bigint NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    target text,
    reason text,
    ip inet,
    detail jsonb DEFAULT '{}'::jsonb NOT NULL,
    written_by xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT audit_log_detail_check CHECK ((jsonb_typeof(detail) = 'object'::text))
);

ALTER TABLE gatepost.audit_log ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME gatepost.audit_log_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE gatepost.audit_seals (
    "position" bigint NOT NULL,
    audit_id bigint NOT NULL,
    hash bytea NOT NULL,
    horizon xid8 NOT NULL,
    cluster bigint NOT NULL,
    sealed_at timestamp with time zone NOT NULL,
    CONSTRAINT audit_seals_hash_check CHECK ((octet_length(hash) = 32)),
    CONSTRAINT audit_seals_position_check CHECK (("position" > 0))
);

CREATE TABLE gatepost.email_template_locales (
    key text NOT NULL,
    locale text NOT NULL,
    draft jsonb,
    diagnostics jsonb DEFAULT '[]'::jsonb NOT NULL,
    draft_tag uuid,
    published_version integer,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_by text NOT NULL,
    CONSTRAINT email_template_locales_check CHECK (((draft IS NULL) = (draft_tag IS NULL))),
    CONSTRAINT email_template_locales_draft_check CHECK ((jsonb_typeof(draft) = 'object'::text)),
    CONSTRAINT email_template_locales_locale_check CHECK (((char_length(locale) >= 2) AND (char_length(locale) <= 20)))
);

CREATE TABLE gatepost.email_template_versions (
    key text NOT NULL,
    locale text NOT NULL,
    version integer NOT NULL,
    source jsonb NOT NULL,
    prepared jsonb NOT NULL,
    published_at timestamp with time zone DEFAULT now() NOT NULL,
    published_by text NOT NULL,
    CONSTRAINT email_template_versions_version_check CHECK ((version > 0))
);

CREATE TABLE gatepost.email_templates (
    key text NOT NULL,
    builtin boolean NOT NULL,
    name text NOT NULL,
    description text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    deleted_at timestamp with time zone,
    CONSTRAINT email_templates_key_check CHECK ((key ~ '^[a-z][a-z0-9-]{0,62}$'::text))
);

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
    name text GENERATED ALWAYS AS ((user_metadata ->> 'name'::text)) STORED,
    disabled_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    password_changed_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT users_role_check CHECK ((role = ANY (ARRAY['user'::text, 'admin'::text]))),
    CONSTRAINT users_user_metadata_check CHECK ((jsonb_typeof(user_metadata) = 'object'::text))
);

ALTER TABLE ONLY gatepost.api_keys
    ADD CONSTRAINT api_keys_pkey PRIMARY KEY (id);

ALTER TABLE ONLY gatepost.api_keys
    ADD CONSTRAINT api_keys_prefix_key UNIQUE (prefix);

ALTER TABLE ONLY gatepost.audit_drops
    ADD CONSTRAINT audit_drops_pkey PRIMARY KEY ("position");

ALTER TABLE ONLY gatepost.audit_log
    ADD CONSTRAINT audit_log_pkey PRIMARY KEY (id);

ALTER TABLE ONLY gatepost.audit_seals
    ADD CONSTRAINT audit_seals_audit_id_key UNIQUE (audit_id);

ALTER TABLE ONLY gatepost.audit_seals
    ADD CONSTRAINT audit_seals_pkey PRIMARY KEY ("position");

ALTER TABLE ONLY gatepost.email_template_locales
    ADD CONSTRAINT email_template_locales_pkey PRIMARY KEY (key, locale);

ALTER TABLE ONLY gatepost.email_template_versions
    ADD CONSTRAINT email_template_versions_pkey PRIMARY KEY (key, locale, version);

ALTER TABLE ONLY gatepost.email_templates
    ADD CONSTRAINT email_templates_pkey PRIMARY KEY (key);

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

CREATE INDEX audit_log_action_idx ON gatepost.audit_log USING btree (action, id);

CREATE INDEX audit_log_actor_idx ON gatepost.audit_log USING btree (actor, id);

CREATE INDEX audit_log_target_idx ON gatepost.audit_log USING btree (target, id);

CREATE INDEX audit_log_unsealed_idx ON gatepost.audit_log USING btree (written_by);

CREATE INDEX refresh_tokens_sealed_idx ON gatepost.refresh_tokens USING btree (rotated_at) WHERE (successor_sealed IS NOT NULL);

CREATE INDEX sessions_active_idx ON gatepost.sessions USING btree (user_id) WHERE (ended_at IS NULL);

CREATE INDEX sessions_created_idx ON gatepost.sessions USING btree (created_at, id);

CREATE INDEX sessions_ended_idx ON gatepost.sessions USING btree (user_id, ended_at) WHERE (ended_at IS NOT NULL);

CREATE INDEX sessions_ip_idx ON gatepost.sessions USING btree (ip, created_at, id);

CREATE INDEX sessions_lapsed_idx ON gatepost.sessions USING btree (created_at, id) WHERE (end_reason = ANY (ARRAY['idle'::text, 'expired'::text]));

CREATE INDEX sessions_last_active_on_idx ON gatepost.sessions USING btree (last_active_on);

CREATE INDEX sessions_open_idx ON gatepost.sessions USING btree (created_at, id) WHERE (ended_at IS NULL);

CREATE INDEX sessions_revoked_idx ON gatepost.sessions USING btree (created_at, id) WHERE ((ended_at IS NOT NULL) AND (end_reason <> ALL (ARRAY['idle'::text, 'expired'::text])));

CREATE INDEX sessions_user_created_idx ON gatepost.sessions USING btree (user_id, created_at, id);

CREATE UNIQUE INDEX users_email_key ON gatepost.users USING btree (lower(email));

CREATE INDEX users_email_prefix_idx ON gatepost.users USING btree (lower(email) COLLATE "C", id);

CREATE INDEX users_name_prefix_idx ON gatepost.users USING btree (lower(name) COLLATE "C", id);

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON gatepost.audit_drops FOR EACH ROW EXECUTE FUNCTION gatepost.refuse_change();

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON gatepost.audit_log FOR EACH ROW EXECUTE FUNCTION gatepost.refuse_change();

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON gatepost.audit_seals FOR EACH ROW EXECUTE FUNCTION gatepost.refuse_change();

CREATE TRIGGER immutable BEFORE DELETE OR UPDATE ON gatepost.email_template_versions FOR EACH ROW EXECUTE FUNCTION gatepost.refuse_version_change();

CREATE TRIGGER never_emptied BEFORE TRUNCATE ON gatepost.audit_drops FOR EACH STATEMENT EXECUTE FUNCTION gatepost.refuse_change();

CREATE TRIGGER never_emptied BEFORE TRUNCATE ON gatepost.audit_log FOR EACH STATEMENT EXECUTE FUNCTION gatepost.refuse_change();

CREATE TRIGGER never_emptied BEFORE TRUNCATE ON gatepost.audit_seals FOR EACH STATEMENT EXECUTE FUNCTION gatepost.refuse_change();

CREATE TRIGGER never_emptied BEFORE TRUNCATE ON gatepost.email_template_versions FOR EACH STATEMENT EXECUTE FUNCTION gatepost.refuse_version_change();

CREATE TRIGGER note_ended AFTER UPDATE ON gatepost.sessions FOR EACH ROW WHEN (((old.ended_at IS NULL) AND (new.ended_at IS NOT NULL))) EXECUTE FUNCTION gatepost.note_session_ended();

CREATE TRIGGER note_opened AFTER INSERT ON gatepost.sessions FOR EACH ROW EXECUTE FUNCTION gatepost.note_session_opened();

CREATE TRIGGER stamp BEFORE INSERT ON gatepost.audit_log FOR EACH ROW EXECUTE FUNCTION gatepost.stamp_audit();

ALTER TABLE ONLY gatepost.email_template_locales
    ADD CONSTRAINT email_template_locales_key_fkey FOREIGN KEY (key) REFERENCES gatepost.email_templates(key);

ALTER TABLE ONLY gatepost.email_template_versions
    ADD CONSTRAINT email_template_versions_key_locale_fkey FOREIGN KEY (key, locale) REFERENCES gatepost.email_template_locales(key, locale);

ALTER TABLE ONLY gatepost.refresh_tokens
    ADD CONSTRAINT refresh_tokens_session_id_fkey FOREIGN KEY (session_id) REFERENCES gatepost.sessions(id) ON DELETE CASCADE;

ALTER TABLE gatepost.api_keys ENABLE ROW LEVEL SECURITY;

ALTER TABLE gatepost.audit_drops ENABLE ROW LEVEL SECURITY;

ALTER TABLE gatepost.audit_log ENABLE ROW LEVEL SECURITY;

ALTER TABLE gatepost.audit_seals ENABLE ROW LEVEL SECURITY;

ALTER TABLE gatepost.email_template_locales ENABLE ROW LEVEL SECURITY;

ALTER TABLE gatepost.email_template_versions ENABLE ROW LEVEL SECURITY;

ALTER TABLE gatepost.email_templates ENABLE ROW LEVEL SECURITY;

ALTER TABLE gatepost.refresh_tokens ENABLE ROW LEVEL SECURITY;

ALTER TABLE gatepost.schema_migrations ENABLE ROW LEVEL SECURITY;

ALTER TABLE gatepost.sessions ENABLE ROW LEVEL SECURITY;

ALTER TABLE gatepost.signing_keys ENABLE ROW LEVEL SECURITY;

ALTER TABLE gatepost.users ENABLE ROW LEVEL SECURITY;

REVOKE ALL ON FUNCTION gatepost.act_as(p_actor text, p_reason text, p_ip inet) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.delete_template(p_key text, p_actor text, p_ip inet) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.delete_user(p_user_id uuid, p_actor text, p_reason text, p_ip inet, p_idle_timeout interval) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.disable_user(p_user_id uuid, p_actor text, p_reason text, p_ip inet, p_idle_timeout interval) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.enable_user(p_user_id uuid, p_actor text, p_reason text, p_ip inet) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.end_lapsed_session(p_session_id uuid, p_idle_timeout interval) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.end_lapsed_sessions(p_user_id uuid, p_idle_timeout interval) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.lock_sessions(p_user_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.note_audit(p_actor text, p_action text, p_target text, p_reason text, p_ip inet, p_detail jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.note_session_ended() FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.note_session_opened() FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.open_session(p_session_id uuid, p_user_id uuid, p_token_hash bytea, p_name text, p_device_kind text, p_browser text, p_os text, p_ip inet, p_lifetime interval, p_idle_timeout interval, p_max_sessions integer, p_replaced_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.publish_template(p_key text, p_locale text, p_tag uuid, p_prepared jsonb, p_actor text, p_ip inet) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.refresh_session(p_session_id uuid, p_token_hash bytea, p_successor_hash bytea, p_successor_sealed bytea, p_ip inet, p_grace interval, p_idle_timeout interval, OUT outcome text, OUT successor_sealed bytea, OUT session gatepost.sessions) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.refuse_change() FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.refuse_version_change() FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.revoke_any_session(p_session_id uuid, p_actor text, p_reason text, p_ip inet) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.revoke_listed_sessions(p_session_ids uuid[], p_actor text, p_reason text, p_ip inet) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.revoke_other_sessions(p_user_id uuid, p_kept_id uuid, p_ended_by uuid, p_reason text, p_idle_timeout interval) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.revoke_session(p_user_id uuid, p_session_id uuid, p_ended_by uuid, p_reason text, p_idle_timeout interval) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.revoke_user_sessions(p_user_id uuid, p_actor text, p_reason text, p_ip inet, p_idle_timeout interval) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.save_template_draft(p_key text, p_locale text, p_tag uuid, p_draft jsonb, p_diagnostics jsonb, p_action text, p_actor text, p_ip inet) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.session_end_reason(session gatepost.sessions, idle_timeout interval) FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.stamp_audit() FROM PUBLIC;

REVOKE ALL ON FUNCTION gatepost.touch_session(p_session_id uuid, p_ip inet, p_interval interval) FROM PUBLIC;
