import { Icon } from "./icon";
import { Menu } from "./menu";

/** Who is signed in, and the way out. Signing out is a plain form: it works whatever the page's state. */
export function UserMenu({ name, email }: { name: string; email: string }) {
  return (
    <Menu label="Account" icon={<Icon name="user" />}>
      <div className="px-3 py-2">
        <p className="truncate font-semibold">{name}</p>
        <p className="truncate text-sm text-muted">{email}</p>
      </div>
      <form method="post" action="/api/signout">
        <button type="submit" className="w-full rounded-lg px-3 py-2 text-left hover:bg-raised">
          Sign out
        </button>
      </form>
    </Menu>
  );
}
