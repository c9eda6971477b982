/** The people of the demonstration: who they are, and asking the API in their name. */
import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import { registerAccount } from '../../actions/register-account.ts'
import { Refusal } from '../../core/errors.ts'
import type { Role } from '../../core/grants.ts'
import type { Pool } from '../../store/pool.ts'
import { askJson, type Reach } from '../https-json.ts'

const roster = {
  operator: ['operator'],
  'custodian-one': ['custodian'],
  'custodian-two': ['custodian'],
  'reviewer-one': ['reviewer'],
  'reviewer-two': ['reviewer'],
  'reviewer-three': ['reviewer'],
  head: ['head'],
  recipient: ['recipient'],
  auditor: ['auditor'],
} as const satisfies Record<string, readonly Role[]>

export type PersonName = keyof typeof roster

/** Everybody signed in: each with the reach of their own session, and the auditor's password for the command line. */
export type People = { reach: Record<PersonName, Reach>; passwords: Record<PersonName, string> }

/** Registers everybody and opens a session for each. */
export async function signEverybodyIn(pool: Pool, at: Reach): Promise<People> {
  const names = Object.keys(roster) as PersonName[]
  const reach: Partial<People['reach']> = {}
  const passwords: Partial<People['passwords']> = {}
  for (const name of names) {
    const password = randomBytes(18).toString('base64url')
    await registerAccount(pool, { name, roles: [...roster[name]], password }, 'demo')
    const path = '/v1/sessions'
    const session = z.object({ token: z.string() })
    const asked = { method: 'POST', path, body: { name, password } } as const
    const { token } = await askJson(at, asked, session)
    reach[name] = { ...at, token }
    passwords[name] = password
  }
  return { reach, passwords } as People
}

const jobSchema = z.object({
  state: z.string(),
  parts: z.object({ total: z.number(), done: z.number() }),
  refusal: z.object({ code: z.string(), sentence: z.string() }).nullable(),
})

const pollMs = 100
const jobMsMax = 60 * 60_000

/**
 * Waits until a job ends.
 *
 * @param onParts - told how many of the job's parts are done.
 * @throws {Refusal} `state-conflict` if it failed.
 */
export async function untilDone(
  reach: Reach,
  job: string,
  onParts?: (done: number, total: number) => void,
): Promise<void> {
  for (const deadline = Date.now() + jobMsMax; Date.now() < deadline; await delay(pollMs)) {
    const shown = await askJson(reach, { method: 'GET', path: `/v1/jobs/${job}` }, jobSchema)
    onParts?.(shown.parts.done, Math.max(1, shown.parts.total))
    if (shown.state === 'done') return
    if (shown.state === 'failed' || shown.state === 'cancelled') {
      const why = shown.refusal?.sentence ?? 'The job failed.'
      throw new Refusal('state-conflict', why, { job, code: shown.refusal?.code ?? '' })
    }
  }
  throw new Error('a job did not end in an hour')
}
