import { useLocation } from "@tanstack/react-router";
import { Inbox, LayoutTemplate, Mails, MailX } from "lucide-react";
import { MailButton } from "@/components/header-buttons";
import type { HeaderMenuProps } from "@/components/header-menu";
import { Menu, MenuLink } from "@/components/ui/menu";

const PAGES = [
  { to: "/settings/email-templates", name: "Templates", Icon: LayoutTemplate },
  { to: "/settings/emails", name: "Emails", Icon: Mails },
  { to: "/settings/suppressions", name: "Suppressions", Icon: MailX },
  { to: "/mailbox", name: "Mailbox", Icon: Inbox },
] as const;

/** The pages about email, for admins. */
export default function MailMenu({ defaultOpen, autoFocus }: HeaderMenuProps) {
  const current = useLocation({ select: ({ pathname }) => PAGES.some(({ to }) => pathname.startsWith(to)) });
  return (
    <Menu
      align="start"
      className="w-56"
      defaultOpen={defaultOpen}
      trigger={<MailButton current={current} autoFocus={autoFocus} />}
    >
      {PAGES.map(({ to, name, Icon }) => (
        <MenuLink key={to} to={to}>
          <Icon size={18} aria-hidden />
          {name}
        </MenuLink>
      ))}
    </Menu>
  );
}
