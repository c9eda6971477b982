/**
 * The rule of this file: the owner of the tables cannot log in, whoever migrates is not who serves,
 * and every process has a role of its own that owns nothing. Which role may do what is in
 * migrations/0002.do.grants.sql.
 */
import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto'
import pg from 'pg'

/** The roles that log in. They are the cluster's, so one set serves every database in it. */
export const loginRoles = [
  'gyeol_migrate',
  'gyeol_api',
  'gyeol_key',
  'gyeol_data',
  'gyeol_sign',
  'gyeol_auditor',
] as const

/** One of the roles that log in. */
export type LoginRole = (typeof loginRoles)[number]

/**
 * Makes the roles where they are missing, gives them their passwords, and lets them into this
 * database. Safe to repeat.
 *
 * What travels to the server is the SCRAM verifier (RFC 5803), not the password: neither a
 * statement log nor the catalogue ever holds it.
 *
 * @param adminUrl - a superuser, or a role with CREATEROLE that owns the database.
 * @param passwords - 16 to 128 printable ASCII characters each.
 */
export async function provisionRoles(
  adminUrl: string,
  passwords: Readonly<Record<LoginRole, string>>,
): Promise<void> {
  const client = new pg.Client({ connectionString: adminUrl, connectionTimeoutMillis: 5_000 })
  await client.connect()
  try {
    await createRoleIfMissing(client, 'gyeol_owner', 'nologin')
    for (const role of loginRoles) {
      await createRoleIfMissing(client, role, 'login')
      await client.query(
        `alter role ${role} with login nosuperuser nocreatedb nocreaterole noreplication nobypassrls
         password ${pg.escapeLiteral(scramVerifier(passwords[role]))}`,
      )
    }
    await client.query('grant gyeol_owner to gyeol_migrate with inherit false, set true')
    await openDatabase(client)
  } finally {
    await client.end()
  }
}

/**
 * Only these roles may connect to this database, and only the owner of the tables may create
 * schemas in it.
 */
async function openDatabase(client: pg.Client): Promise<void> {
  const found = await client.query<{ name: string }>(
    `select quote_ident(current_database()) as name`,
  )
  const name = found.rows[0]?.name ?? ''
  await client.query(`revoke all on database ${name} from public`)
  await client.query(`grant connect on database ${name} to ${loginRoles.join(', ')}`)
  await client.query(`grant create on database ${name} to gyeol_owner`)
  // The queue gathers a bulk of bells in a temporary table.
  await client.query(`grant temporary on database ${name} to gyeol_api, gyeol_key, gyeol_data`)
}

async function createRoleIfMissing(
  client: pg.Client,
  role: string,
  login: 'login' | 'nologin',
): Promise<void> {
  const found = await client.query('select from pg_roles where rolname = $1::name', [role])
  if (found.rowCount === 0) await client.query(`create role ${role} ${login}`)
}

/**
 * A password as PostgreSQL stores it (SCRAM-SHA-256; RFC 5802, RFC 7677).
 *
 * @throws {RangeError} unless it is 16 to 128 printable ASCII characters.
 */
export function scramVerifier(password: string): string {
  if (!/^[\x21-\x7e]{16,128}$/.test(password)) {
    throw new RangeError('a role password is 16 to 128 printable ASCII characters')
  }
  const iterations = 4096
  const salt = randomBytes(16)
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256')
  const clientKey = createHmac('sha256', salted).update('Client Key').digest()
  const storedKey = createHash('sha256').update(clientKey).digest('base64')
  const serverKey = createHmac('sha256', salted).update('Server Key').digest('base64')
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${storedKey}:${serverKey}`
}
