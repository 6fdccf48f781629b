import { useSuspenseQuery } from "@tanstack/react-query";
import { Bell, KeyRound, LogOut } from "lucide-react";
import { readMeOptions } from "@/client/@tanstack/react-query.gen";
import { AccountButton } from "@/components/header-buttons";
import type { HeaderMenuProps } from "@/components/header-menu";
import { THEMES } from "@/components/theme-choice";
import { Menu, MenuItem, MenuLink, MenuRadioGroup, MenuSeparator } from "@/components/ui/menu";
import { useSignOut } from "@/lib/sign-out";
import { chooseTheme, useTheme } from "@/lib/theme";

/** The user's settings, and sign out. On a phone also the theme, for which the header has no room. */
export default function AccountMenu({ defaultOpen, autoFocus }: HeaderMenuProps) {
  const { data: me } = useSuspenseQuery(readMeOptions());
  const logout = useSignOut();
  const theme = useTheme();
  return (
    <Menu className="w-72" defaultOpen={defaultOpen} trigger={<AccountButton autoFocus={autoFocus} />}>
      <div className="px-3 py-2 text-sm">
        <p className="text-muted">Signed in as</p>
        <p className="truncate font-medium">{me.user.email}</p>
      </div>
      <MenuSeparator />
      <MenuLink to="/settings/notifications">
        <Bell size={18} aria-hidden />
        Notifications
      </MenuLink>
      {me.user.role === "admin" ? (
        <MenuLink to="/settings/api-keys">
          <KeyRound size={18} aria-hidden />
          API keys
        </MenuLink>
      ) : null}
      <MenuSeparator className="sm:hidden" />
      <MenuRadioGroup
        label="Theme"
        className="sm:hidden"
        value={theme}
        onChange={chooseTheme}
        options={THEMES.map(({ theme: value, label, Icon }) => ({
          value,
          label,
          icon: <Icon size={18} aria-hidden />,
        }))}
      />
      <MenuSeparator />
      <MenuItem onSelect={() => logout.mutate({})}>
        <LogOut size={18} aria-hidden />
        Sign out
      </MenuItem>
    </Menu>
  );
}
