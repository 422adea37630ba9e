from latentbeta.config import read_settings
from latentbeta.tracking.lineage import flat_parameters, model_parameters


def test_a_query_is_no_parameter_of_a_run():
    settings = read_settings()
    sql = settings.fetch.sql.model_copy(update={"query": "select 'open sesame'"})
    fetch = settings.fetch.model_copy(update={"sql": sql, "prices": "sql"})
    asked = settings.model_copy(update={"fetch": fetch})

    parameters = flat_parameters(asked)

    assert parameters["fetch.prices"] == "sql"
    assert not any("sesame" in value for value in parameters.values())
    assert not any("sesame" in value for value in model_parameters(asked, "ca1", 3).values())
