/** The signer: the one process that can sign the trail, and can do nothing else. */
import { createSigner, type Signer } from '../actions/publish-checkpoint.ts'
import { trailSize } from '../store/leaves.ts'
import type { Pool } from '../store/pool.ts'
import { nameOf } from '../worker/run-job.ts'
import type { Command, CommandContext } from './command.ts'
import { passphraseOptions } from './passphrase.ts'
import { openBasis } from './process-parts.ts'
import { pause, repeat } from './waiting.ts'

const lookEveryMs = 1_000
const checkpointEveryMs = 10_000
const checkpointLeaves = 1_000

export const signCommand: Command = {
  usage: '[options]',
  options: passphraseOptions,
  examples: ['DATABASE_URL=postgres://gyeol_sign@db/gyeol gyeol sign'],
  run: sign,
}

async function sign(context: CommandContext): Promise<undefined> {
  const { pool, keyring, log } = await openBasis(context, 'sign')
  const signer = createSigner({ pool, keyring, origin: context.config.origin })
  const look = createLook(pool, signer)
  log.info('listening')
  context.announce({ listening: 'sign' })
  await repeat(lookEveryMs, context.stop, async () => {
    try {
      const size = await look(performance.now())
      if (size !== undefined) log.info('checkpoint published', { size })
    } catch (error) {
      log.error('no checkpoint could be published', { error: nameOf(error) })
      await pause(checkpointEveryMs, context.stop)
    }
  })
  // If this fails, the next signer goes on from the last checkpoint.
  await signer.publish().catch(() => undefined)
  await pool.end()
}

/**
 * Publishes when it is time: 1,000 leaves or 10 s after the last checkpoint, or as soon as a look
 * finds the trail as long as the look before did, for then nobody is served by waiting.
 */
function createLook(pool: Pool, signer: Signer): (nowMs: number) => Promise<number | undefined> {
  let published = -1
  let publishedAtMs = Number.NEGATIVE_INFINITY
  let seen = -1
  return async (nowMs) => {
    const size = await trailSize(pool)
    const isQuiet = size === seen
    seen = size
    const isDue =
      isQuiet || size - published >= checkpointLeaves || nowMs - publishedAtMs >= checkpointEveryMs
    if (size === published || !isDue) return undefined
    const signed = await signer.publish()
    published = signed ?? size
    publishedAtMs = nowMs
    return signed
  }
}
