/**
 * A witness of the trail, run by whoever shall not have to trust the service. It cosigns a checkpoint only if it continues
 * the last one it saw; otherwise it says so and ends, and keeps the two signed checkpoints that show it.
 */
import { z } from 'zod'
import { type Checkpoint, openCheckpoint } from '../core/checkpoint.ts'
import { cosignatureLine, cosignersOf } from '../core/cosignature.ts'
import { Refusal } from '../core/errors.ts'
import { noteKeyType, readVerifierKey } from '../core/verifier-key.ts'
import { requireContinuation } from '../core/witness.ts'
import type { Command, CommandContext } from './command.ts'
import { askJson, type Reach } from './https-json.ts'
import { certificateOptions, openReach, reachOptions } from './reach.ts'
import { explain } from './run.ts'
import { repeat } from './waiting.ts'
import { makeWitness, openWitness, type WitnessHome } from './witness-home.ts'

export const auditWitnessKeyCommand: Command = {
  usage: '--witness <name> --directory <directory>',
  options: {
    witness: { value: 'name', meaning: 'its name, as witness.example.org/one' },
    directory: { value: 'directory', meaning: 'where its key and its memory go' },
  },
  examples: ['gyeol audit witness-key --witness witness.nhis.example/one --directory ./witness'],
  run: async ({ given, print }) => {
    const verifierKey = makeWitness(given.need('directory'), given.need('witness'))
    print(verifierKey)
    return 0
  },
}

export const auditWitnessCommand: Command = {
  usage: '--directory <directory> --key <verifier key> [options]',
  options: {
    directory: { value: 'directory', meaning: 'what `gyeol audit witness-key` made' },
    key: { value: 'verifier key', meaning: 'name+hash+key of the signer, from a source you trust' },
    every: { value: 'seconds', meaning: 'look again and again; once unless said' },
    ...certificateOptions,
    ...reachOptions,
    json: { meaning: 'one line of JSON a look; what is for people goes to standard error' },
  },
  examples: [
    'gyeol audit witness --directory witness --key "gyeol.local/trail+5f6a…+AY…" --certificate nhis.pem --private-key nhis.key',
    'gyeol audit witness --directory witness --key "gyeol.local/trail+5f6a…+AY…" --name cho --password-file cho.password --every 60',
  ],
  run: witness,
}

const everySecondsMax = 86_400
const checkpointSchema = z.object({ note: z.string() })
const proofSchema = z.object({ proof: z.array(z.string().regex(/^[0-9a-f]{64}$/)).max(64) })

async function witness(context: CommandContext): Promise<number> {
  const every = context.given.whole('every', 1, everySecondsMax)
  readVerifierKey(context.given.need('key'), noteKeyType) // What is no key now will be none later.
  if (every === undefined) {
    await look(context)
    return 0
  }
  await repeat(every * 1000, context.stop, async () => {
    try {
      await look(context)
    } catch (error) {
      if (error instanceof Refusal && error.code === 'history-differs') throw error
      explain(error, context) // Away, or not yet registered: the next look may go better.
    }
  })
  return 0
}

async function look(context: CommandContext): Promise<void> {
  const { given, print, printJson } = context
  const logKey = given.need('key')
  const home = await openWitness(given.need('directory'), logKey)
  try {
    const reach = await openReach(context)
    const seenSize = home.seen.at(-1)?.size ?? 0
    const { note } = await askJson(
      reach,
      { method: 'GET', path: `/v1/audit/checkpoint?cosignedAfter=${seenSize}` },
      checkpointSchema,
    )
    const shown = openCheckpoint(note, [logKey])
    await requireContinued(reach, home, { shown, note })
    const isCosigned = cosignersOf(note, [home.verifierKey]).length > 0
    if (!isCosigned) await cosign(reach, home, { note, size: shown.size })
    print(isCosigned ? `size ${shown.size} is cosigned already` : `cosigned size ${shown.size}`)
    printJson({ size: shown.size, isNew: !isCosigned })
  } finally {
    await home.close()
  }
}

async function requireContinued(
  reach: Reach,
  home: WitnessHome,
  { shown, note }: { shown: Checkpoint; note: string },
): Promise<void> {
  try {
    await requireContinuation(home.seen, shown, async (size1, size2) => {
      const path = `/v1/audit/proofs/consistency?size1=${size1}&size2=${size2}`
      const { proof } = await askJson(reach, { method: 'GET', path }, proofSchema)
      return proof.map((hash) => Buffer.from(hash, 'hex'))
    })
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== 'history-differs') throw error
    const evidence = home.keepEvidence(note)
    throw new Refusal(error.code, error.message, { ...error.details, evidence })
  }
}

/** Remembers first: a witness that lost power after signing must not sign anything else for this size. */
async function cosign(
  reach: Reach,
  home: WitnessHome,
  { note, size }: { note: string; size: number },
): Promise<void> {
  const { verifierKey, seen } = home
  if (size > (seen.at(-1)?.size ?? 0)) await home.remember(note)
  const timeSeconds = Math.floor(Date.now() / 1000)
  const line = cosignatureLine(note, { verifierKey, timeSeconds }, home.sign)
  const asked = { method: 'POST', path: '/v1/audit/cosignatures', body: { size, line } } as const
  await askJson(reach, asked, z.object({ isNew: z.boolean() }))
}
