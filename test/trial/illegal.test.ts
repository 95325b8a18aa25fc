import { Attempts } from './attempts.js';
import { illegalOnData } from './illegal-data.js';
import { illegalAtEnrolment } from './illegal-enrolment.js';
import { TrialWorld } from './world.js';

const open = async (): Promise<Attempts> => Attempts.onTwo(await TrialWorld.founded());

describe("on the contracts' double", () => {
  illegalAtEnrolment(open);
  illegalOnData(open);
});
