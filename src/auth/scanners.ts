/**
 * Programs that look for open or weakly protected servers, by the User-Agent that they write. They are many, they come to
 * every public address within hours, and an answer makes them come again: so they get none. Who hides his name is
 * caught by failed logins instead.
 */
const names =
  /\b(friendly-(scanner|request)|sipvicious|sundayddr|sipcli|sip-?scan|sipsak|iwar|smap|vaxsipuseragent|vaxasip|pplsip|sivus|gulp|sipptk|conaito|enumiax|inviteflood|siparmyknife)\b/i;

export function isScanner(userAgent: string | undefined): boolean {
  return userAgent !== undefined && names.test(userAgent);
}
