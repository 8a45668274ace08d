-- Whoever is suspended is few among many.
CREATE INDEX person_suspended ON person (tenant, id) WHERE state = 'suspended';
