/** The files of a package as they lie in its directory. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { lstat, readdir } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { Refusal } from '../core/errors.ts'

const filesMax = 100_000

/** Size and digest of every file below a directory, by its name with forward slashes. @throws {Refusal} `body-too-large`. */
export async function digestsOf(
  directory: string,
): Promise<Map<string, { bytes: number; sha256: string }>> {
  const names = await readdir(directory, { recursive: true })
  if (names.length > filesMax) {
    throw new Refusal('body-too-large', 'The directory holds too many files for a package.')
  }
  const found = new Map<string, { bytes: number; sha256: string }>()
  for (const each of names.sort()) {
    const path = join(directory, each)
    const status = await lstat(path)
    if (status.isDirectory()) continue
    const name = relative(directory, path).split(sep).join('/')
    // A link shows whatever it leads to today.
    if (!status.isFile()) found.set(name, { bytes: -1, sha256: '' })
    else found.set(name, { bytes: status.size, sha256: await sha256Of(path) })
  }
  return found
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk)
  return hash.digest('hex')
}
