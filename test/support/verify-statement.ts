import { compactVerify, importJWK, type JWK } from 'jose';

/** The text a statement signs when `key` made the signature, else undefined: what anyone can check with jose alone. */
export async function verifyStatement(statement: string, key: JWK): Promise<string | undefined> {
  try {
    const { payload } = await compactVerify(statement, await importJWK(key, 'ES256'), { algorithms: ['ES256'] });
    return Buffer.from(payload).toString('utf8');
  } catch {
    return undefined;
  }
}
