/** The service as real processes, for tests that kill them, fill their disks or read what they leave behind. */
import { randomUUID } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { registerAccount } from '../../src/actions/register-account.ts'
import { registerAgency } from '../../src/actions/register-agency.ts'
import { makeCertificateRequest } from '../../src/agency/certificate-request.ts'
import { type AllRoles, startAllRoles } from '../../src/cli/all-roles.ts'
import { type Config, configOf, environmentOf } from '../../src/cli/config.ts'
import { createLog } from '../../src/cli/log.ts'
import type { Role } from '../../src/core/grants.ts'
import { signAgencyRequest } from '../../src/keys/certificate-authority.ts'
import { createPool, type Pool } from '../../src/store/pool.ts'
import { type ApiClient, createClient } from './api-client.ts'
import { expect, jobEnd, type Served } from './exchange.ts'
import { startTestRedis } from './redis.ts'

export type TestRoles = Served & {
  roles: AllRoles
  config: Config
  /** The environment of a further process of this side. */
  environmentOf: (side: 'key' | 'data') => Record<string, string>
  /** Of the superuser. */
  admin: Pool
  /** What the processes said, all of it. */
  lines: string[]
  person: (name: string, roles: Role[]) => Promise<ApiClient>
  agency: (name: string) => Promise<ApiClient & { privateKeyPem: string }>
}

/**
 * Starts the four processes and a database of their own; all of it ends with the test. The queue is the one of the run (see
 * queue.ts) unless `more` says which.
 */
export async function startTestRoles(
  t: Pick<Test, 'teardown'>,
  more: Record<string, string> = {},
): Promise<TestRoles> {
  const directory = mkdtempSync(join(tmpdir(), 'gyeol-roles-'))
  const scratch = mkdtempSync(join('/dev/shm', 'gyeol-roles-'))
  const home = join(directory, 'home')
  mkdirSync(home, { mode: 0o711 })
  t.teardown(() => {
    for (const path of [directory, scratch]) rmSync(path, { recursive: true, force: true })
  })
  const isOnRedis = process.env['GYEOL_TEST_QUEUE'] === 'redis' && more['REDIS_URL'] === undefined
  const redis = isOnRedis ? await startTestRedis(t) : undefined
  const config = configOf({
    REDIS_URL: redis?.url,
    GYEOL_HOME: home,
    GYEOL_SCRATCH: scratch,
    GYEOL_PORT: '0',
    GYEOL_JOBS: '2',
    GYEOL_JOB_MEMORY_MIB: '256',
    ...more,
  })
  const lines: string[] = []
  const say = (line: string): void => void lines.push(line)
  const roles = await startAllRoles(config, { log: createLog('test', 'info', say), onLine: say })
  t.teardown(() => roles.stop())
  const admin = createPool({ connectionString: roles.databaseUrls.admin, max: 4, name: 'test' })
  t.teardown(() => admin.end())
  const ca = readFileSync(roles.caPath)
  const clientOf = (given: object): ApiClient => createClient({ url: roles.url, ca, ...given })
  return {
    roles,
    config,
    environmentOf: (side) =>
      environmentOf({ ...config, databaseUrl: roles.databaseUrls[`gyeol_${side}`] }),
    admin,
    lines,
    person: async (name, given) => {
      const password = `the password of ${name}, ${randomUUID()}`
      await registerAccount(admin, { name, roles: given, password }, 'test')
      const session = await clientOf({}).post('/v1/sessions', { name, password })
      return clientOf({ token: expect(session, 201).body.token })
    },
    agency: async (name) => {
      const caKey = readFileSync(join(config.tls, 'ca.key'), 'utf8')
      const request = await makeCertificateRequest({ agency: name, bits: 2048 })
      const authority = { certificatePem: ca.toString(), privateKeyPem: caKey }
      const wanted = { agency: name, requestPem: request.requestPem }
      const certificatePem = signAgencyRequest(authority, wanted, { now: new Date() })
      const title = { en: name, ko: name }
      await registerAgency(admin, { name, title, certificatePem }, 'test')
      const { privateKeyPem } = request
      const pair = { key: Buffer.from(privateKeyPem), cert: Buffer.from(certificatePem) }
      return { ...clientOf(pair), privateKeyPem }
    },
    jobEnd,
  }
}
