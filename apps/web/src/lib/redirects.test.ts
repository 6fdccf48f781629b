import { describe, expect, it } from "vitest";
import { ApiError } from "@/lib/errors";
import { loginSearch, safeRedirect, signOutMessage } from "@/lib/redirects";

describe("safeRedirect", () => {
  it.each([
    "/",
    "/devices",
    "/devices?include=ended&q=%2F%2Fa#top",
    "/a//b",
    "/%2F%2Fevil.example",
    "/@evil.example",
  ])("keeps %s, a path of this site", (path) => expect(safeRedirect(path)).toBe(path));

  it.each([undefined, ""])("replaces %o by the front page", (target) =>
    expect(safeRedirect(target)).toBe("/"),
  );

  it.each([
    "//evil.example",
    "///evil.example",
    "//evil.example@localhost:3000/",
    "/\\evil.example",
    "\\\\evil.example",
    "\\/evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/\r\\evil.example",
    "\t//evil.example",
    " //evil.example",
    "https://evil.example",
    "HTTPS:evil.example",
    "https:/evil.example",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\nscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "evil.example",
    "devices",
    "?redirect=//evil.example",
    "#//evil.example",
    "%2F%2Fevil.example",
    "https%3A%2F%2Fevil.example",
    // These are paths of this site until the dots are resolved.
    "/.//evil.example",
    "/./\\evil.example",
    "/%2e//evil.example",
    "/devices/..//evil.example",
    "/devices/%2E%2e/\\evil.example",
    "/\t./\t/evil.example",
    // These are no URLs.
    "/\t/[",
    "/\t/evil.example:port",
  ])("replaces %j by the front page", (target) => expect(safeRedirect(target)).toBe("/"));
});

describe("loginSearch", () => {
  it("has the error code, why the session ended, and where to return", () => {
    const error = new ApiError("", { status: 401, code: "session_revoked", reason: "evicted" });
    expect(loginSearch(error, "/devices?include=ended#top")).toEqual({
      reason: "session_revoked",
      end_reason: "evicted",
      redirect: "/devices?include=ended#top",
    });
  });

  it.each(["not_authenticated", null])("has no reason for %s", (code) => {
    const search = loginSearch(new ApiError("", { status: 401, code }), "/devices");
    expect(search).toEqual({ redirect: "/devices" });
    expect(signOutMessage(search)).toBeNull();
  });

  it.each(["/", "/login", "/login?redirect=%2Fdevices", "/register"])("does not return to %s", (from) =>
    expect(loginSearch(new ApiError("", { code: "token_expired" }), from).redirect).toBeUndefined(),
  );
});

describe("signOutMessage", () => {
  it.each([
    ["signed_out", "You signed out on this device."],
    ["signed_out_elsewhere", "This device was signed out from another device."],
    ["signed_out_by_admin", "This device was signed out by an admin."],
    ["evicted", "This device was signed out because you signed in on too many other devices."],
    ["password_changed", "This device was signed out because your password was changed."],
    [
      "refresh_token_reused",
      "This device was signed out because its session was used on two devices. If that was not you, change your password.",
    ],
    ["not_me", "This device was signed out because you reported a sign-in that was not yours."],
    ["idle", "This device was not used for a long time. Sign in again."],
    ["expired", "This session has reached its maximum lifetime. Sign in again."],
  ])("explains why a session ended: %s", (end_reason, message) =>
    expect(signOutMessage({ reason: "session_revoked", end_reason })).toBe(message),
  );

  it.each([
    ["session_revoked", "This device was signed out."],
    ["session_idle", "This device was not used for a long time. Sign in again."],
    ["session_expired", "This session has reached its maximum lifetime. Sign in again."],
    [
      "refresh_token_reused",
      "This device was signed out because its session was used on two devices. If that was not you, change your password.",
    ],
    ["token_invalid", "Your session is no longer valid. Sign in again."],
    ["token_expired", "Your session has expired. Sign in again."],
  ])("explains the error when the reason is unknown: %s", (reason, message) => {
    expect(signOutMessage({ reason })).toBe(message);
    expect(signOutMessage({ reason, end_reason: "of_tomorrow" })).toBe(message);
  });

  it("is null without an error, and for an unknown one", () => {
    expect(signOutMessage({})).toBeNull();
    expect(signOutMessage({ redirect: "/devices" })).toBeNull();
    expect(signOutMessage({ reason: "not_authenticated" })).toBeNull();
    expect(signOutMessage({ reason: "of_tomorrow" })).toBeNull();
  });

  it.each(["constructor", "toString", "__proto__"])(
    "is null for %s, which anyone can put into the URL",
    (key) => {
      expect(signOutMessage({ reason: key })).toBeNull();
      expect(signOutMessage({ reason: key, end_reason: key })).toBeNull();
    },
  );
});
