import { fireEvent, screen, waitFor } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { failWith, json, problem, service } from "@/testing/fake-service";
import { openPage } from "@/testing/open-page";

const REGISTER = "POST /v1/auth/register";
const REGISTRATION = "GET /v1/auth/registration";

const type = (label: string, value: string) =>
  fireEvent.change(screen.getByLabelText(label), { target: { value } });
const press = (name: string) => fireEvent.click(screen.getByRole("button", { name }));

describe("creating an account", () => {
  it("asks for the email address alone where it has to be confirmed, and says the same for every one", async () => {
    service.answer(REGISTRATION, json({ registration: "confirm" }));
    service.answer(REGISTER, () => new Response(null, { status: 202 }));
    await openPage("/register");
    await screen.findByRole("button", { name: "Continue" });
    expect(screen.queryByLabelText("Password")).toBeNull();
    type("Email address", "ada@example.com");
    press("Continue");
    const result = await screen.findByRole("status");
    expect(result.textContent).toBe("Check your inbox. Our email says how to continue.");
    expect(document.activeElement).toBe(result);
    expect(service.bodies).toEqual([{ email: "ada@example.com" }]);
    press("Send another email");
    const field = (await screen.findByLabelText("Email address")) as HTMLInputElement;
    expect(field.value).toBe("ada@example.com");
  });

  it("says that registration is closed", async () => {
    service.answer(REGISTRATION, json({ registration: "closed" }));
    await openPage("/register");
    await screen.findByText("Registration is closed. Ask an admin for an account.");
    expect(screen.queryByLabelText("Email address")).toBeNull();
  });

  it("shows the form when it is not known who can register", async () => {
    service.answer(REGISTRATION, failWith(404, "not_found"));
    await openPage("/register");
    expect(await screen.findByLabelText("Password")).toBeDefined();
  });

  it("shows at the field why a password is not allowed", async () => {
    service.answer(REGISTRATION, json({ registration: "open" }));
    const errors = [
      { loc: ["body", "password"], msg: "This password is too common.", type: "password_common" },
    ];
    service.answer(REGISTER, () => problem(422, "validation_failed", { errors }));
    await openPage("/register");
    await screen.findByLabelText("Password");
    type("Email address", "ada@example.com");
    type("Password", "password1");
    press("Create account");
    await screen.findByText("This password is too common.");
    expect(screen.getByLabelText("Password").getAttribute("aria-invalid")).toBe("true");
    expect(screen.queryByRole("alert")).toBeNull();
  });
});

describe("the hint at how strong a new password is", () => {
  it("is shown while typing, knows the email address, and rejects nothing", async () => {
    service.answer(REGISTRATION, json({ registration: "open" }));
    await openPage("/register");
    await screen.findByLabelText("Password");
    expect(screen.queryByText(/Password strength/)).toBeNull();
    type("Email address", "kjwqhdxzbv@example.com");
    type("Password", "kjwqhdxzbv");
    await waitFor(() =>
      expect(screen.getByText(/Password strength/).textContent).toBe("Password strength: Very weak"),
    );
    type("Password", "velvet anchor drizzle 42 moss");
    await screen.findByText("Strong");
    type("Password", "");
    await waitFor(() => expect(screen.queryByText(/Password strength/)).toBeNull());
  });

  it("accepts what is pasted in full, however long it is", async () => {
    service.answer(REGISTRATION, json({ registration: "open" }));
    await openPage("/register");
    const field = (await screen.findByLabelText("Password")) as HTMLInputElement;
    expect(field.maxLength).toBe(-1);
    expect(field.autocomplete).toBe("new-password");
  });
});
