import { randomUUID, X509Certificate } from 'node:crypto'
import { spkiSha256Of } from '../core/certificate-key.ts'
import { Refusal } from '../core/errors.ts'
import { saveAgency } from '../store/agencies.ts'
import { appendLeaf } from '../store/audit.ts'
import { inTransaction, type Pool } from '../store/pool.ts'

/** An agency that may call, by its certificate. */
export type NewAgency = { name: string; title: { en: string; ko: string }; certificatePem: string }

const titleCharactersMax = 200

/**
 * Registers an agency under the public key of its certificate, or gives the one of that name
 * another key.
 *
 * @param operator - who runs the command, as the machine knows them.
 * @throws {Refusal} `input-malformed` if the certificate is none, `already-exists` if its key is
 *   another agency's, `option-unknown` for a name or title that cannot be.
 */
export async function registerAgency(
  pool: Pool,
  agency: NewAgency,
  operator: string,
): Promise<void> {
  const { name, title } = agency
  const titles = [title.en, title.ko]
  if (!/^[a-z][a-z0-9-]{0,62}$/.test(name)) {
    throw new Refusal(
      'option-unknown',
      'The name of an agency is of lower-case letters, digits and hyphens.',
    )
  }
  if (titles.some(({ length }) => length === 0 || length > titleCharactersMax)) {
    throw new Refusal('option-unknown', 'A title has 1 to 200 characters.')
  }
  const spkiSha256 = spkiSha256Of(certificateOf(agency.certificatePem))
  await inTransaction(pool, 'register-agency', async (tx) => {
    if (!(await saveAgency(tx, { id: randomUUID(), name, title, spkiSha256 }))) {
      const sentence = 'Another agency has the key of this certificate. Each agency makes its own.'
      throw new Refusal('already-exists', sentence)
    }
    await appendLeaf(tx, {
      actor: { kind: 'command', name: operator },
      action: 'register-agency',
      object: name,
      outcome: 'done',
      digests: { publicKey: spkiSha256.toString('hex') },
    })
  })
}

function certificateOf(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem)
  } catch (cause) {
    const sentence = 'This is no certificate in PEM. Take the one that `gyeol ca sign` wrote.'
    throw new Refusal('input-malformed', sentence, {}, { cause })
  }
}
