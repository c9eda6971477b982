/** A worker process of one side. */
import { Refusal } from '../core/errors.ts'
import { startWorker } from '../worker/run.ts'
import type { Command, CommandContext } from './command.ts'
import { passphraseOptions } from './passphrase.ts'
import { doorbellConfigOf, openBasis, openDeps } from './process-parts.ts'
import { clearOwnScratch, scratchRootOf } from './scratch-place.ts'
import { readReleaseSigner } from './tls-files.ts'
import { stopped } from './waiting.ts'

export const workCommand: Command = {
  usage: '--side key|data [options]',
  options: {
    side: { value: 'key|data', meaning: 'which side: keys and links, or tables and releases' },
    ...passphraseOptions,
  },
  examples: [
    'DATABASE_URL=postgres://gyeol_key@db/gyeol gyeol work --side key',
    'GYEOL_JOBS=8 gyeol work --side data --passphrase-file /run/secrets/data',
  ],
  run: work,
}

/** Does jobs until told to stop; then lets running ones finish, at most 25 s. */
async function work(context: CommandContext): Promise<undefined> {
  const { config } = context
  const side = context.given.need('side')
  if (side !== 'key' && side !== 'data') {
    throw new Refusal('option-unknown', 'The side of a worker is key or data.')
  }
  const scratchRoot = await scratchRootOf(config, context.tell)
  const basis = await openBasis(context, side)
  const deps = await openDeps(context, basis)
  context.atExit(() => clearOwnScratch(scratchRoot))
  const releaseSigner = side === 'data' ? readReleaseSigner(config.tls) : undefined
  if (side === 'data' && !releaseSigner) {
    context.tell('There is no release.pem: packages have no manifest.p7s. See `gyeol ca release`.')
  }
  const { jobMemoryMiB, jobThreads } = config
  const worker = await startWorker({
    deps: { ...deps, side, jobMemoryMiB, jobThreads, releaseSigner },
    doorbell: doorbellConfigOf(context, basis),
    concurrency: config.jobs,
    scratchRoot,
    log: basis.log.info,
  })
  basis.log.info('listening', { jobs: config.jobs })
  context.announce({ listening: side })
  await stopped(context.stop)
  basis.log.info('stopping')
  await worker.stop()
  await deps.doorbell.close()
  await basis.pool.end()
}
