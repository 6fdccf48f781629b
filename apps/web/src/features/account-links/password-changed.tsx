import { Link } from "@tanstack/react-router";
import { buttonStyle } from "@/components/ui/button";
import { SuccessMessage } from "@/components/ui/success-message";

export function PasswordChanged() {
  return (
    <>
      <SuccessMessage>Your password was changed, and every device was signed out.</SuccessMessage>
      <Link to="/login" className={buttonStyle("primary", "large")}>
        Sign in
      </Link>
    </>
  );
}
