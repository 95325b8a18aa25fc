/** The standard vocabulary of EPCIS events: GS1 Core Business Vocabulary 2.0, section 7, and the GS1 Web Vocabulary. */

/** A vocabulary: where its terms lie on the web, how they were spelt as URN, and the terms. */
export interface Vocabulary {
  readonly web: string;
  readonly urn?: string;
  readonly terms: ReadonlySet<string>;
}

const CBV = 'https://ref.gs1.org/cbv/';
const VOC = 'https://gs1.org/voc/';
const words = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/));

/** Section 7.1. */
export const bizSteps: Vocabulary = {
  web: `${CBV}BizStep-`,
  urn: 'urn:epcglobal:cbv:bizstep:',
  terms: words(`accepting arriving assembling collecting commissioning consigning creating_class_instance cycle_counting
    decommissioning departing destroying disassembling dispensing encoding entering_exiting holding inspecting
    installing killing loading other packing picking receiving removing repackaging repairing replacing reserving
    retail_selling shipping staging_outbound stock_taking stocking storing transporting unloading unpacking
    void_shipping sensor_reporting sampling`),
};

/** Section 7.2. */
export const dispositions: Vocabulary = {
  web: `${CBV}Disp-`,
  urn: 'urn:epcglobal:cbv:disp:',
  terms: words(`active container_closed damaged destroyed dispensed disposed encoded expired in_progress in_transit
    inactive no_pedigree_match non_sellable_other partially_dispensed recalled reserved retail_sold returned
    sellable_accessible sellable_not_accessible stolen unknown available completeness_verified completeness_inferred
    conformant container_open mismatch_instance mismatch_class mismatch_quantity needs_replacement non_conformant
    unavailable`),
};

/** Section 7.3. */
export const transactionTypes: Vocabulary = {
  web: `${CBV}BTT-`,
  urn: 'urn:epcglobal:cbv:btt:',
  terms: words('bol cert desadv inv pedigree po poc prodorder recadv rma testprd testres upevt'),
};

/** Section 7.4. */
export const sourceTypes: Vocabulary = {
  web: `${CBV}SDT-`,
  urn: 'urn:epcglobal:cbv:sdt:',
  terms: words('owning_party possessing_party location'),
};

/** Section 7.5. */
export const errorReasons: Vocabulary = {
  web: `${CBV}ER-`,
  urn: 'urn:epcglobal:cbv:er:',
  terms: words('did_not_occur incorrect_data'),
};

/** Section 7.6. */
export const components: Vocabulary = {
  web: `${CBV}Comp-`,
  terms: words(`x y z axial_distance azimuth height spherical_radius polar_angle elevation_angle easting northing
    latitude longitude altitude`),
};

/** Sensor alerts. */
export const alerts: Vocabulary = { web: VOC, terms: words('ALARM_CONDITION ERROR_CONDITION') };

/** Types of measurement. */
export const measurements: Vocabulary = {
  web: VOC,
  terms: words(`AbsoluteHumidity AbsorbedDose AbsorbedDoseRate Acceleration Radioactivity Altitude AmountOfSubstance
    AmountOfSubstancePerUnitVolume Angle AngularAcceleration AngularMomentum AngularVelocity Area Capacitance
    Conductance Conductivity Count Density Dimensionless DoseEquivalent DoseEquivalentRate DynamicViscosity
    EffectiveDose EffectiveDoseRate
    ElectricCharge ElectricCurrent ElectricCurrentDensity ElectricFieldStrength Energy Exposure Force Frequency
    Illuminance Inductance Irradiance KinematicViscosity Length LinearMomentum Luminance LuminousFlux
    LuminousIntensity MagneticFlux MagneticFluxDensity MagneticVectorPotential Mass MassConcentration MassFlowRate
    MassPerAreaTime MemoryCapacity MolalityOfSolute MolarEnergy MolarMass MolarVolume Power Pressure RadiantFlux
    RadiantIntensity RelativeHumidity Resistance Resistivity SolidAngle SpecificVolume Speed SurfaceDensity
    SurfaceTension Temperature Time Torque Voltage Volume VolumeFlowRate VolumeFraction VolumetricFlux Wavenumber`),
};

/** The web URI of a bare word or URN of this vocabulary; any other text as it is. */
export function webTerm(vocabulary: Vocabulary, text: string): string {
  return vocabulary.terms.has(text) ? vocabulary.web + text : webOfUrn(vocabulary, text);
}

/** The web URI of a URN of this vocabulary, whether its word is of the standard or not; any other text as it is. */
export function webOfUrn({ urn, web }: Vocabulary, text: string): string {
  return urn !== undefined && text.startsWith(urn) ? web + text.slice(urn.length) : text;
}

/** The bare word of a term of this vocabulary, in any spelling; undefined for other texts. */
export function bareTerm(vocabulary: Vocabulary, text: string): string | undefined {
  const web = webTerm(vocabulary, text);
  const word = web.startsWith(vocabulary.web) ? web.slice(vocabulary.web.length) : '';
  return vocabulary.terms.has(word) ? word : undefined;
}
