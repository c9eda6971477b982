/**
 * Before a byte of a file leaves, all of it is held against the digest that was approved: whoever can write to the vault can
 * seal something else to the desk's public key. A file that was found right is not read again as long as nobody has touched
 * it, so a download in ranges costs one reading more.
 */
import { createHash } from 'node:crypto'
import { Refusal } from '../core/errors.ts'
import type { Deps } from './deps.ts'
import { orVaultAway } from './sealed-files.ts'

const rememberedMax = 10_000

export class ApprovedFiles {
  readonly #deps: Pick<Deps, 'vault' | 'keyring'>
  /** Object → its stamp when it was right. */
  readonly #right = new Map<string, string>()

  constructor(deps: Pick<Deps, 'vault' | 'keyring'>) {
    this.#deps = deps
  }

  /** @throws {Refusal} `file-changed`. @throws {Outage} when the vault does not have it. */
  async require(file: { id: string; projectId: string; sha256: Uint8Array }): Promise<void> {
    const stamp = await this.#deps.vault.stampOf(file.id).catch(orVaultAway)
    if (this.#right.get(file.id) === stamp) return
    if (Buffer.compare(await this.#digestOf(file), file.sha256) !== 0) throw changed()
    if (this.#right.size >= rememberedMax) this.#right.clear()
    this.#right.set(file.id, stamp)
  }

  async #digestOf({ id: objectId, projectId: project }: { id: string; projectId: string }) {
    const { vault, keyring } = this.#deps
    const hash = createHash('sha256')
    const context = { project, kind: 'desk-file', objectId }
    try {
      const plain = await vault.openRead(
        (keyId, enc, ciphertext, info) => keyring.openSealed(keyId, enc, ciphertext, info),
        context,
      )
      for await (const chunk of plain) hash.update(chunk)
    } catch (error) {
      if (error instanceof Refusal && error.code === 'sealed-object-damaged') throw changed(error)
      throw error
    }
    return hash.digest()
  }
}

function changed(cause?: Refusal): Refusal {
  const sentence =
    'The file is not the one that was approved. Nothing of it leaves. Tell the operator.'
  return new Refusal('file-changed', sentence, {}, { cause })
}
