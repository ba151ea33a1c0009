/** A person of the sandbox: signs in with `username` and `password`; the username is also their `sub`. */
export interface SandboxUser {
  readonly username: string;
  readonly name: string;
  readonly email: string;
  readonly password: string;
}
