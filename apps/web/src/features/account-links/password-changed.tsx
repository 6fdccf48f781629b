import { Link } from "@tanstack/react-router";
import { buttonStyle } from "@/components/ui/button";
import { Outcome } from "@/components/ui/success-message";

export function PasswordChanged() {
  return (
    <>
      <Outcome>Your password is changed. Every device was signed out.</Outcome>
      <Link to="/login" className={buttonStyle("primary", "normal", "min-h-11")}>
        Sign in
      </Link>
    </>
  );
}
