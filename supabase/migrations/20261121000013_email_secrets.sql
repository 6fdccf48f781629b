-- Secrets in emails: an admin says which templates contain codes or links of the application.

-- Marks a template as containing secrets, or removes the mark. With the mark, emails that were queued before get it too,
-- and the content of those that are settled is erased. Without it, emails that have it keep it.
-- Raises GP003 template_not_found.
create function gatepost.mark_template_secrets(p_key text, p_contains_secrets boolean, p_actor text, p_ip inet)
  returns void
language plpgsql volatile set search_path = ''
as $$
declare
  settled uuid[];
begin
  update gatepost.email_templates t set contains_secrets = p_contains_secrets
  where t.key = p_key and t.deleted_at is null;
  if not found then
    raise exception using errcode = 'GP003', message = 'template_not_found';
  end if;
  if p_contains_secrets then
    update gatepost.emails e set secret = true where e.template = p_key and not e.secret;
    -- The capture transport keeps emails only here, and it is not used in production.
    select array_agg(e.id) into settled from gatepost.emails e
    where e.template = p_key and e.secret and e.status not in ('queued', 'sending')
      and e.provider is distinct from 'capture';
    perform gatepost.erase_email_secrets(settled);
  end if;
  perform gatepost.record_audit(
    p_actor, 'template.secrets_marked', 'template:' || p_key, null, p_ip,
    jsonb_build_object('contains_secrets', p_contains_secrets)
  );
end;
$$;


revoke execute on all functions in schema gatepost from public;
