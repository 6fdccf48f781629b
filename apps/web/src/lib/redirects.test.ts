import { describe, expect, it } from "vitest";
import { ApiError } from "@/lib/errors";
import { loginSearch, safeRedirect, whySignedOut } from "@/lib/redirects";

describe("safeRedirect", () => {
  it.each([
    "/",
    "/devices",
    "/devices?include=ended&q=%2F%2Fa#top",
    "/a//b",
    "/%2F%2Fevil.example",
    "/@evil.example",
  ])("keeps %s, a path of ours", (path) => expect(safeRedirect(path)).toBe(path));

  it.each([undefined, ""])("takes %o to the front page", (target) => expect(safeRedirect(target)).toBe("/"));

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
    // These are paths of ours until the dots are worked out.
    "/.//evil.example",
    "/./\\evil.example",
    "/%2e//evil.example",
    "/devices/..//evil.example",
    "/devices/%2E%2e/\\evil.example",
    "/\t./\t/evil.example",
    // These are no addresses at all.
    "/\t/[",
    "/\t/evil.example:port",
  ])("takes %j to the front page", (target) => expect(safeRedirect(target)).toBe("/"));
});

describe("loginSearch", () => {
  it("carries what was refused, why, and the way back", () => {
    const error = new ApiError("", { status: 401, code: "session_revoked", reason: "evicted" });
    expect(loginSearch(error, "/devices?include=ended#top")).toEqual({
      reason: "session_revoked",
      end_reason: "evicted",
      redirect: "/devices?include=ended#top",
    });
  });

  it.each(["not_authenticated", null])("has nothing to say of %s", (code) => {
    const search = loginSearch(new ApiError("", { status: 401, code }), "/devices");
    expect(search).toEqual({ redirect: "/devices" });
    expect(whySignedOut(search)).toBeNull();
  });

  it.each(["/", "/login", "/login?redirect=%2Fdevices", "/register"])("does not lead back to %s", (from) =>
    expect(loginSearch(new ApiError("", { code: "token_expired" }), from).redirect).toBeUndefined(),
  );
});

describe("whySignedOut", () => {
  it.each([
    ["signed_out", "You signed out on this device."],
    ["signed_out_elsewhere", "This device was signed out from another device."],
    ["signed_out_by_admin", "This device was signed out by an administrator."],
    ["evicted", "This device was signed out because you signed in on too many others."],
    ["password_changed", "This device was signed out because your password was changed."],
    [
      "refresh_token_reused",
      "This device was signed out because its sign-in was used in two places. If that was not you, change your password.",
    ],
    ["not_me", "This device was signed out because its sign-in was reported."],
    ["idle", "This device was not used for a long time. Sign in again."],
    ["expired", "This sign-in has reached its longest lifetime. Sign in again."],
  ])("says why a session ended: %s", (end_reason, said) =>
    expect(whySignedOut({ reason: "session_revoked", end_reason })).toBe(said),
  );

  it.each([
    ["session_revoked", "This device was signed out."],
    ["session_idle", "This device was not used for a long time. Sign in again."],
    ["session_expired", "This sign-in has reached its longest lifetime. Sign in again."],
    [
      "refresh_token_reused",
      "This device was signed out because its sign-in was used in two places. If that was not you, change your password.",
    ],
    ["token_invalid", "Your sign-in is no longer valid. Sign in again."],
    ["token_expired", "Your sign-in has expired. Sign in again."],
  ])("says what was refused where it does not know why: %s", (reason, said) => {
    expect(whySignedOut({ reason })).toBe(said);
    expect(whySignedOut({ reason, end_reason: "of_tomorrow" })).toBe(said);
  });

  it("says nothing where nothing was refused, or nothing it knows", () => {
    expect(whySignedOut({})).toBeNull();
    expect(whySignedOut({ redirect: "/devices" })).toBeNull();
    expect(whySignedOut({ reason: "not_authenticated" })).toBeNull();
    expect(whySignedOut({ reason: "of_tomorrow" })).toBeNull();
  });

  it.each(["constructor", "toString", "__proto__"])(
    "says nothing for %s, which anyone can put into the address",
    (word) => {
      expect(whySignedOut({ reason: word })).toBeNull();
      expect(whySignedOut({ reason: word, end_reason: word })).toBeNull();
    },
  );
});
