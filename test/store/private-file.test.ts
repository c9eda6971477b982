import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { keptRolePasswords, rolePasswordsFile } from '../../src/cli/role-urls.ts'
import { urlsOfHome } from '../../src/store/embedded-home.ts'
import { loginRoles } from '../../src/store/roles.ts'

test('passwords of the database that others may read are refused', async (t) => {
  const home = t.testdir()
  const passwords = Object.fromEntries(loginRoles.map((role) => [role, 'x'.repeat(20)]))
  const state = { base: null, port: 5432, passwords: { admin: 'y', ...passwords } }
  const embedded = join(home, 'postgres.json')
  writeFileSync(embedded, JSON.stringify(state), { mode: 0o600 })
  writeFileSync(rolePasswordsFile(home), JSON.stringify({ passwords }), { mode: 0o600 })
  t.match(urlsOfHome(home)?.admin, 'postgres:y@')
  t.same(keptRolePasswords(home), passwords)
  for (const mode of [0o644, 0o640, 0o606]) {
    chmodSync(embedded, mode)
    chmodSync(rolePasswordsFile(home), mode)
    t.throws(() => urlsOfHome(home), { code: 'keyring-refused', message: /0600/ })
    t.throws(() => keptRolePasswords(home), { code: 'keyring-refused' })
  }
})
