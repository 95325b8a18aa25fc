/**
 * Brings channel and chaincode into force on nodes that run: `node setup.js <state folder>`. May be repeated; what is in
 * force already stays. Exit codes: 0 done, 1 failed, 2 wrong use.
 */
import { establish } from './establish.js';

const [stateDir, ...more] = process.argv.slice(2);
if (stateDir === undefined || more.length > 0) {
  console.error('usage: setup.js <state folder>');
  process.exit(2);
}
try {
  await establish(stateDir, console.log);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
